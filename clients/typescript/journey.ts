// A program's way through the API with the generated client. `clients/README.md` tells it in words.
// Exact numbers are strings: the client sends `Prefer: numbers=text`, and is made from the document for that.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Problem = components["schemas"]["ProblemBody"];
type Submission = components["schemas"]["SubmissionView"];

const [address] = process.argv.slice(2);
assert(address, "Usage: journey ADDRESS");

const FORM = "ts.monthly";
const INDICATOR = "ts.amount";
const PERIOD = "2025-09";
// One more than 2^53, which no float can hold.
const LARGE = "9007199254740993";

const api = createClient<paths>({ baseUrl: address, headers: { Prefer: "numbers=text" } });

/** Returns the body of a success. */
function read<T>(answer: { data?: T; error?: Problem | undefined; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status} ${answer.error?.code}: ${answer.error?.detail}`);
  }
  return answer.data;
}

/** Returns the ETag, which a change builds on and a later read compares with. */
function etag(answer: { response: Response }): string {
  const tag = answer.response.headers.get("ETag");
  assert(tag, "the answer has no ETag");
  return tag;
}

async function signIn() {
  const token = read(
    await api.POST("/v1/auth/token", {
      body: { grant_type: "password", username: "admin@demo", password: "tonghop-demo" },
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }),
  );
  api.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token.access_token}`);
    },
  });
}

async function addUnits() {
  read(
    await api.POST("/v1/units", {
      body: { code: "TS", name: "Xã TypeScript", level: "commune", kind: "xã", parent: "code:91" },
    }),
  );
  const imported = read(
    await api.POST("/v1/units/import", {
      body: "code,name,level,parent_code,kind\nTS-1,Ấp Một,hamlet,TS,ấp\nTS-2,Ấp Hai,hamlet,TS,ấp\n",
      bodySerializer: (csv) => csv,
      headers: { "Content-Type": "text/csv" },
    }),
  );
  assert.equal(imported.created, 2);
  const units = read(await api.GET("/v1/units", { params: { query: { parent: "code:TS", limit: 10 } } }));
  assert.deepEqual(units.items.map((unit) => unit.code), ["TS-1", "TS-2"]);
  assert.equal(units.next, null);
}

async function addForm() {
  const indicator = read(
    await api.PUT("/v1/indicators/{indicator}", {
      params: { path: { indicator: INDICATOR } },
      body: {
        name: { vi: "Số tiền", en: "Amount" },
        unit_of_measure: "đồng",
        decimals: 2,
        across_units: "sum",
        across_time: "sum",
        minimum: "0",
      },
    }),
  );
  assert.equal(indicator.minimum, "0");
  const form = read(
    await api.PUT("/v1/forms/{form}", {
      params: { path: { form: FORM } },
      body: {
        name: { vi: "Báo cáo tháng", en: "Monthly report" },
        calendar: "statutory",
        frequency: "month",
        submitted_by: ["hamlet"],
        outline: [{ number: "I", title: { vi: "Số tiền", en: "Amount" }, items: [{ indicator: INDICATOR }] }],
      },
    }),
  );
  assert.equal(form.code, FORM);
}

const submissionOf = (unit: string) => ({ form: FORM, period: PERIOD, unit });

async function submit() {
  const send = () =>
    api.PUT("/v1/forms/{form}/periods/{period}/units/{unit}/submission", {
      params: {
        path: submissionOf("code:TS-1"),
        header: { "If-None-Match": "*", "Idempotency-Key": "typescript-first" },
      },
      body: { values: [{ indicator: INDICATOR, value: "1" }], submit: true },
    });
  const first = await send();
  assert.equal(first.response.status, 201);
  assert.equal(read(first).status, "submitted");

  const replay = await send();
  assert.equal(replay.response.headers.get("Idempotency-Replayed"), "true");
  assert.deepEqual(read(replay), read(first));

  const correction = await api.PUT("/v1/forms/{form}/periods/{period}/units/{unit}/submission", {
    params: { path: submissionOf("code:TS-1"), header: { "If-Match": etag(first) } },
    body: { values: [{ indicator: INDICATOR, value: LARGE, qualifier: "at_least" }], submit: true },
  });
  assert.equal(read(correction).values[0]?.value, LARGE);

  const stale = await api.PUT("/v1/forms/{form}/periods/{period}/units/{unit}/submission", {
    params: { path: submissionOf("code:TS-1"), header: { "If-Match": etag(first) } },
    body: { values: [{ indicator: INDICATOR, value: "2" }], submit: true },
  });
  assert.equal(stale.response.status, 412);

  read(
    await api.PUT("/v1/forms/{form}/periods/{period}/units/{unit}/submission", {
      params: { path: submissionOf("code:TS-2"), header: { "If-None-Match": "*" } },
      body: { values: [{ indicator: INDICATOR, value: "0.07" }], submit: true },
    }),
  );
}

/** Reads an answer of a later version: its status is not known today. */
async function readLaterVersion() {
  const today = read(
    await api.GET("/v1/forms/{form}/periods/{period}/units/{unit}/submission", {
      params: { path: submissionOf("code:TS-1") },
    }),
  );
  const later: Submission = { ...today, status: "sealed" };
  assert.equal(later.status, "sealed");
}

async function readReports() {
  const path = submissionOf("code:TS");
  const rollup = await api.GET("/v1/forms/{form}/periods/{period}/units/{unit}/rollup", { params: { path } });
  const cell = read(rollup).cells.find((cell) => cell.indicator === INDICATOR);
  assert.equal(cell?.value, `${LARGE}.07`);
  assert.equal(cell.qualifier, "at_least");

  const unchanged = await api.GET("/v1/forms/{form}/periods/{period}/units/{unit}/rollup", {
    params: { path, header: { "If-None-Match": etag(rollup) } },
  });
  assert.equal(unchanged.response.status, 304);

  const completeness = read(
    await api.GET("/v1/forms/{form}/periods/{period}/units/{unit}/completeness", { params: { path } }),
  );
  assert.equal(completeness.total.submitted, 2);
  assert.deepEqual(completeness.children.map((child) => child.unit.code), ["TS-1", "TS-2"]);

  const series = read(
    await api.GET("/v1/forms/{form}/units/{unit}/series", {
      params: {
        path: { form: FORM, unit: "code:TS" },
        query: { indicator: INDICATOR, from: "2025-08", to: "2025-10" },
      },
    }),
  );
  assert.deepEqual(series.items.map((item) => item.figure.value), [null, `${LARGE}.07`, null]);

  const lineage = read(
    await api.GET("/v1/forms/{form}/periods/{period}/units/{unit}/rollup/lineage", {
      params: { path, query: { indicator: INDICATOR } },
    }),
  );
  assert.deepEqual(lineage.items.map((source) => source.value?.value), [LARGE, "0.07"]);
}

async function readProblem() {
  const answer = await api.PUT("/v1/forms/{form}/periods/{period}/units/{unit}/submission", {
    params: { path: { form: FORM, period: "2025-10", unit: "code:TS-1" }, header: { "If-None-Match": "*" } },
    body: { values: [{ indicator: INDICATOR, value: "1.234" }], submit: true },
  });
  assert(answer.error, "three decimals must be refused");
  assert.equal(answer.response.status, 422);
  assert.equal(answer.error.code, "INVALID_SUBMISSION");
  assert.deepEqual(answer.error.errors.map((fault) => fault.pointer), ["/values/0/value"]);
}

async function reorganise() {
  const body: components["schemas"]["ReorganisationDocument"] = {
    effective: "2025-12-15",
    legal_basis: "Nghị quyết thử",
    steps: [
      {
        op: "merge",
        from: ["code:TS-1", "code:TS-2"],
        into: { code: "TS-1", name: "Ấp Một Hai", level: "hamlet", kind: "ấp", parent: "code:TS" },
      },
      { op: "rename", unit: "code:TS", name: "Xã TypeScript mới" },
    ],
  };
  const preview = read(await api.POST("/v1/reorganisations/preview", { body }));
  assert.equal(preview.possible, true);
  const done = read(
    await api.POST("/v1/reorganisations", {
      params: { header: { "Idempotency-Key": "typescript-reform" } },
      body,
    }),
  );
  assert.equal(done.effective, "2025-12-15");

  const kept = read(
    await api.GET("/v1/reorganisations/{reorganisation}", { params: { path: { reorganisation: done.id } } }),
  );
  const merge = kept.document.steps[0];
  assert(merge?.op === "merge");
  assert.deepEqual(merge.from, ["code:TS-1", "code:TS-2"]);

  const units = read(await api.GET("/v1/units", { params: { query: { parent: "code:TS" } } }));
  assert.deepEqual(units.items.map((unit) => unit.name), ["Ấp Một Hai"]);
}

await signIn();
await addUnits();
await addForm();
await submit();
await readLaterVersion();
await readReports();
await readProblem();
await reorganise();
console.log("typescript: the journey ends well");
