"""Fills a new tenant of a running server with the model case of `src/demo/`, through the API, as the administrator.

Usage: world.py ADDRESS TENANT LOGIN PASSWORD
"""

import csv
import json
import sys
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

DATA = Path(__file__).parents[2] / "src" / "demo"
MONTHLY, ANNUAL = "mttq.monthly", "mttq.annual"


def data(name):
    return json.loads((DATA / name).read_text("utf-8"))


class Server:
    def __init__(self, address, tenant, login, password):
        self.address = address
        self.headers = {}
        form = {"grant_type": "password", "tenant": tenant, "username": login, "password": password}
        answer = self.send("POST", "/v1/auth/token", urlencode(form), "application/x-www-form-urlencoded")
        self.headers = {"Authorization": f"Bearer {answer['access_token']}"}

    def send(self, method, path, text, media_type):
        headers = {**self.headers, "Content-Type": media_type}
        if method == "PUT":
            headers["If-None-Match"] = "*"
        request = Request(self.address + path, text.encode(), headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def post(self, path, body):
        return self.send("POST", path, json.dumps(body), "application/json")

    def put(self, path, body):
        return self.send("PUT", path, json.dumps(body), "application/json")


def submit(server, form, name):
    """Submits what a file holds, in its order: lower units come first."""
    reports = {}
    with open(DATA / name, encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            year = "2023" if "2023" in name else "2024"
            path = f"/v1/forms/{form}/periods/{row.get('period') or year}/units/{quote('code:' + row['unit'])}"
            keys = ("indicator", "option", "value", "qualifier")
            value = {key: row[key] for key in keys if row.get(key)}
            reports.setdefault(path, []).append(value)
    for path, values in reports.items():
        server.put(f"{path}/submission", {"values": values, "narrative": [], "submit": True})


def main():
    server = Server(*sys.argv[1:])
    server.send("POST", "/v1/units/import", (DATA / "units.csv").read_text("utf-8"), "text/csv")
    for entry in data("indicators.json"):
        server.put(f"/v1/indicators/{entry.pop('code')}", entry)
    # The annual form takes a figure from the monthly one.
    server.put(f"/v1/forms/{MONTHLY}", data("monthly.json"))
    server.put(f"/v1/forms/{ANNUAL}", data("form.json"))
    submit(server, ANNUAL, "submissions_2023.csv")
    submit(server, ANNUAL, "submissions.csv")
    submit(server, MONTHLY, "monthly.csv")
    submit(server, MONTHLY, "monthly_before_reform.csv")
    server.post("/v1/reorganisations", data("reform.json"))
    submit(server, MONTHLY, "monthly_after_reform.csv")


main()
