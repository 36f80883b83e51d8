"""A program's way through the API with the generated client. `clients/README.md` tells it in words.

Exact numbers are strings: the client sends `Prefer: numbers=text`, and is made from the document for that.

Usage: journey.py ADDRESS
"""

import datetime
import sys
from typing import TypeVar

from tonghop_client import AuthenticatedClient, Client
from tonghop_client.api.catalogue import put_form, put_indicator
from tonghop_client.api.reports import get_completeness, get_lineage, get_rollup, get_series
from tonghop_client.api.sign_in import issue_token
from tonghop_client.api.submissions import get_submission, put_submission
from tonghop_client.api.units import (
    create_reorganisation,
    create_unit,
    get_reorganisation,
    list_units,
    preview_reorganisation,
)
from tonghop_client.models import (
    FormBody,
    ImportResult,
    IndicatorBody,
    ItemBody,
    MergeStep,
    NameBody,
    ProblemBody,
    RenameStep,
    ReorganisationDocument,
    SectionBody,
    SubmissionBody,
    SubmissionView,
    TokenRequest,
    UnitBody,
    UnitDocument,
    ValueBody,
)
from tonghop_client.types import Response

FORM = "py.monthly"
INDICATOR = "py.amount"
PERIOD = "2025-09"
# One more than 2^53, which no float can hold.
LARGE = "9007199254740993"
NUMBERS_AS_TEXT = {"Prefer": "numbers=text"}

T = TypeVar("T")


def read(answer: Response[T | ProblemBody]) -> T:
    """Returns the body of a success."""
    body = answer.parsed
    if body is None or isinstance(body, ProblemBody):
        raise RuntimeError(f"{answer.status_code}: {body}")
    return body


def sign_in(address: str) -> AuthenticatedClient:
    request = TokenRequest(grant_type="password", username="admin@demo", password="tonghop-demo")
    token = read(issue_token.sync_detailed(client=Client(address), body=request))
    return AuthenticatedClient(address, token.access_token, headers=NUMBERS_AS_TEXT)


def add_units(client: AuthenticatedClient) -> None:
    commune = UnitBody(code="PY", name="Xã Python", level="commune", kind="xã", parent="code:91")
    read(create_unit.sync_detailed(client=client, body=commune))
    # The generator makes no function that sends CSV; the client's own connection does it.
    csv = "code,name,level,parent_code,kind\nPY-1,Ấp Một,hamlet,PY,ấp\nPY-2,Ấp Hai,hamlet,PY,ấp\n"
    answer = client.get_httpx_client().post(
        "/v1/units/import", content=csv, headers={"Content-Type": "text/csv"}
    )
    assert ImportResult.from_dict(answer.json()).created == 2
    units = read(list_units.sync_detailed(client=client, parent="code:PY", limit=10))
    assert [unit.code for unit in units.items] == ["PY-1", "PY-2"]
    assert units.next_ is None


def add_form(client: AuthenticatedClient) -> None:
    indicator = IndicatorBody(
        name=NameBody(vi="Số tiền", en="Amount"),
        unit_of_measure="đồng",
        decimals=2,
        across_units="sum",
        across_time="sum",
        minimum="0",
    )
    assert read(put_indicator.sync_detailed(INDICATOR, client=client, body=indicator)).minimum == "0"
    form = FormBody(
        name=NameBody(vi="Báo cáo tháng", en="Monthly report"),
        calendar="statutory",
        frequency="month",
        submitted_by=["hamlet"],
        outline=[SectionBody(number="I", title=NameBody(vi="Số tiền"), items=[ItemBody(indicator=INDICATOR)])],
    )
    assert read(put_form.sync_detailed(FORM, client=client, body=form)).code == FORM


def amount(value: str) -> SubmissionBody:
    return SubmissionBody(values=[ValueBody(indicator=INDICATOR, value=value)], submit=True)


def submit(client: AuthenticatedClient) -> None:
    first, replay = [
        put_submission.sync_detailed(
            FORM,
            PERIOD,
            "code:PY-1",
            client=client,
            body=amount("1"),
            if_none_match="*",
            idempotency_key="python-first",
        )
        for _ in range(2)
    ]
    assert first.status_code == 201
    assert read(first).status == "submitted"
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert read(replay) == read(first)

    correction = SubmissionBody(
        values=[ValueBody(indicator=INDICATOR, value=LARGE, qualifier="at_least")],
        submit=True,
    )
    etag = first.headers["ETag"]
    corrected = put_submission.sync_detailed(
        FORM, PERIOD, "code:PY-1", client=client, body=correction, if_match=etag
    )
    assert read(corrected).values[0].value == LARGE
    stale = put_submission.sync_detailed(FORM, PERIOD, "code:PY-1", client=client, body=amount("2"), if_match=etag)
    assert stale.status_code == 412

    read(
        put_submission.sync_detailed(
            FORM, PERIOD, "code:PY-2", client=client, body=amount("0.07"), if_none_match="*"
        )
    )


def read_later_version(client: AuthenticatedClient) -> None:
    """Reads an answer of a later version: it has a status and a field that are not known today."""
    today = read(get_submission.sync_detailed(FORM, PERIOD, "code:PY-1", client=client))
    later = SubmissionView.from_dict({**today.to_dict(), "status": "sealed", "sealed_on": "2031-01-01"})
    assert later.status == "sealed"
    assert later.values == today.values


def read_reports(client: AuthenticatedClient) -> None:
    rollup = get_rollup.sync_detailed(FORM, PERIOD, "code:PY", client=client)
    [cell] = [cell for cell in read(rollup).cells if cell.indicator == INDICATOR]
    assert cell.value == f"{LARGE}.07"
    assert cell.qualifier == "at_least"
    unchanged = get_rollup.sync_detailed(
        FORM, PERIOD, "code:PY", client=client, if_none_match=rollup.headers["ETag"]
    )
    assert unchanged.status_code == 304

    completeness = read(get_completeness.sync_detailed(FORM, PERIOD, "code:PY", client=client))
    assert completeness.total.submitted == 2
    assert [child.unit.code for child in completeness.children] == ["PY-1", "PY-2"]

    series = read(
        get_series.sync_detailed(
            FORM, "code:PY", client=client, indicator=INDICATOR, from_="2025-08", to="2025-10"
        )
    )
    assert [item.figure.value for item in series.items] == [None, f"{LARGE}.07", None]

    lineage = read(get_lineage.sync_detailed(FORM, PERIOD, "code:PY", client=client, indicator=INDICATOR))
    assert [source.value.value for source in lineage.items if source.value] == [LARGE, "0.07"]


def read_problem(client: AuthenticatedClient) -> None:
    answer = put_submission.sync_detailed(
        FORM, "2025-10", "code:PY-1", client=client, body=amount("1.234"), if_none_match="*"
    )
    problem = answer.parsed
    assert isinstance(problem, ProblemBody), "three decimals must be refused"
    assert problem.status == 422
    assert problem.code == "INVALID_SUBMISSION"
    assert [fault.pointer for fault in problem.errors] == ["/values/0/value"]


def reorganise(client: AuthenticatedClient) -> None:
    merged = UnitDocument(code="PY-1", name="Ấp Một Hai", level="hamlet", kind="ấp", parent="code:PY")
    document = ReorganisationDocument(
        effective=datetime.date(2025, 12, 15),
        legal_basis="Nghị quyết thử",
        steps=[
            MergeStep(op="merge", from_=["code:PY-1", "code:PY-2"], into=merged),
            RenameStep(op="rename", unit="code:PY", name="Xã Python mới"),
        ],
    )
    assert read(preview_reorganisation.sync_detailed(client=client, body=document)).possible
    done = read(
        create_reorganisation.sync_detailed(client=client, body=document, idempotency_key="python-reform")
    )
    assert done.effective == datetime.date(2025, 12, 15)

    kept = read(get_reorganisation.sync_detailed(done.id, client=client))
    merge = kept.document.steps[0]
    assert isinstance(merge, MergeStep)
    assert merge.from_ == ["code:PY-1", "code:PY-2"]

    units = read(list_units.sync_detailed(client=client, parent="code:PY"))
    assert [unit.name for unit in units.items] == ["Ấp Một Hai"]


def main(address: str) -> None:
    client = sign_in(address)
    add_units(client)
    add_form(client)
    submit(client)
    read_later_version(client)
    read_reports(client)
    read_problem(client)
    reorganise(client)
    print("python: the journey ends well")


main(*sys.argv[1:])
