// skaldd through @connectrpc/connect-node, with both codecs, and through plain curl: Submit, Get,
// Wait, List, History, Cancel, and how errors arrive.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { services, startParticipant, startSkaldd } from "./skald.mjs";

const run = promisify(execFile);
const { saga: sagaService, definition: definitionService } = services();
const RUNNING = 1;
const COMPLETED = 5;
const COMPENSATED = 6;
const DONE = 3;

let skald;
let participant;

before(async () => {
  participant = await startParticipant();
  skald = await startSkaldd();
});

after(async () => {
  participant.release();
  const { code, log } = await skald.stop();
  await participant.stop();
  assert.equal(code, 0, log);
});

function clients(useBinaryFormat) {
  const transport = createConnectTransport({ baseUrl: skald.url, httpVersion: "1.1", useBinaryFormat });
  return {
    saga: createClient(sagaService, transport),
    definition: createClient(definitionService, transport),
  };
}

const KEYS_DEDUP = 2;
const KEYS_BARRIER = 3;
const HTTP_JSON = 3;

function operation(path, keys = KEYS_BARRIER) {
  return { url: participant.url + path, protocol: HTTP_JSON, keys };
}

/** reserve (undone by /undo), then `last`. */
function plan(name, last) {
  return {
    name,
    version: 1,
    steps: [
      {
        name: "reserve",
        action: operation("/ok"),
        payload: { form: { case: "text", value: '{"units":2}' } },
        compensation: operation("/undo"),
      },
      { name: "confirm", class: 2, action: operation(last, KEYS_DEDUP) },
    ],
  };
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return ConnectError.from(error);
  }
  assert.fail("was not refused");
}

for (const binary of [false, true]) {
  const codec = binary ? "proto" : "json";

  test(`${codec}: a saga is submitted, waited for, shown and listed`, async () => {
    const { saga } = clients(binary);
    const key = `order-${codec}`;
    const submitted = await saga.submit({
      inlineDefinition: plan("good", "/ok"),
      idempotencyKey: key,
      businessKey: `SN-${codec}`,
      wait: DONE,
    });
    assert.equal(submitted.status, COMPLETED);
    assert.equal(submitted.created, true);
    assert.match(submitted.sagaId, /^[0-9a-z]{26}$/);

    const again = await saga.submit({
      inlineDefinition: plan("good", "/ok"),
      idempotencyKey: key,
      businessKey: `SN-${codec}`,
    });
    assert.equal(again.sagaId, submitted.sagaId);
    assert.equal(again.created, false);

    const shown = await saga.get({
      saga: { case: "sagaId", value: submitted.sagaId },
      attempts: true,
      payloads: true,
    });
    assert.equal(shown.inlineDefinition, true);
    assert.deepEqual(shown.steps.map((step) => step.name), ["reserve", "confirm"]);
    assert.equal(shown.steps[0].legs[0].action.tries.length, 1);
    assert.deepEqual(shown.steps[0].legs[0].request?.kind.value.fields.units.kind.value, 2);
    assert.match(shown.explanation.why, /every step is done/);

    const waited = await saga.wait({ saga: { case: "businessKey", value: `SN-${codec}` } });
    assert.equal(waited.sagaId, submitted.sagaId);

    const listed = await saga.list({ businessKey: `SN-${codec}` });
    assert.deepEqual(listed.sagas.map((line) => line.sagaId), [submitted.sagaId]);

    const told = await saga.history({ saga: { case: "idempotencyKey", value: key } });
    assert.equal(told.events[0].kind, "started");
    assert.equal(told.events.at(-1).kind, "completed");
  });

  test(`${codec}: a refused pivot undoes what was done`, async () => {
    const { saga } = clients(binary);
    const undone = await saga.submit({ inlineDefinition: plan("bad", "/no"), wait: DONE });
    assert.equal(undone.status, COMPENSATED);
    assert.equal(undone.failure.leg, "confirm");
    assert.equal(undone.failure.code, "409");
    const undos = participant.calls.filter((call) => call.path === "/undo");
    assert.ok(undos.some((call) => call.key === `"${undone.sagaId}/reserve/compensation"`));
  });

  test(`${codec}: errors arrive with their codes`, async () => {
    const { saga, definition } = clients(binary);
    const unknown = await refusal(saga.submit({ definition: "nothing" }));
    assert.equal(unknown.code, Code.NotFound);
    assert.match(unknown.rawMessage, /definition "nothing" is not registered/);

    const nameless = await refusal(saga.get({}));
    assert.equal(nameless.code, Code.InvalidArgument);

    const missing = await refusal(definition.get({ name: "nothing" }));
    assert.equal(missing.code, Code.NotFound);

    const key = `conflict-${codec}`;
    const first = await saga.submit({ inlineDefinition: plan("one", "/ok"), idempotencyKey: key });
    const other = await refusal(
      saga.submit({ inlineDefinition: plan("two", "/ok"), idempotencyKey: key }),
    );
    assert.equal(other.code, Code.AlreadyExists);
    assert.match(other.rawMessage, new RegExp(first.sagaId));
  });

  test(`${codec}: a wait that ends first is an answer, a finished saga refuses a cancel`, async () => {
    const { saga } = clients(binary);
    const open = await saga.submit(
      { inlineDefinition: plan("slow", "/hold"), wait: DONE },
      { timeoutMs: 500 },
    );
    assert.equal(open.timedOut, true);
    assert.equal(open.status, RUNNING);
    participant.release();
    const named = { saga: { case: "sagaId", value: open.sagaId } };
    assert.equal((await saga.wait(named)).status, COMPLETED);
    const refused = await refusal(saga.cancel({ ...named, actor: "ann", reason: "too late" }));
    assert.equal(refused.code, Code.FailedPrecondition);
  });
}

test("the definitions that ship are listed and shown", async () => {
  const { definition } = clients(true);
  const { definitions } = await definition.list({});
  const create = definitions.find((one) => one.name === "create_order");
  assert.ok(create, "create_order is listed");
  const view = await definition.get({ name: "create_order" });
  assert.equal(view.steps.length, create.steps);
});

async function curl(path, body, ...more) {
  const post = body === undefined ? [] : ["-H", "Content-Type: application/json", "-d", body];
  const { stdout } = await run("curl", [
    "-sS", "--max-time", "30", "-w", "\n%{http_code}", ...post, ...more, skald.url + path,
  ]);
  const cut = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(cut + 1)), text: stdout.slice(0, cut) };
}

const SUBMIT = "/skald.v1.SagaService/Submit";

test("curl: a saga in one line, its key as a header", async () => {
  const step = {
    name: "only",
    noUndo: "nothing to undo",
    action: { url: `${participant.url}/ok`, protocol: "http_json", keys: "dedup" },
  };
  const body = JSON.stringify({ inlineDefinition: { name: "tiny", steps: [step] }, wait: "done" });
  const first = await curl(SUBMIT, body, "-H", 'Idempotency-Key: "curl-1"');
  assert.equal(first.status, 200, first.text);
  assert.equal(JSON.parse(first.text).status, "completed");
  const again = JSON.parse((await curl(SUBMIT, body, "-H", "Idempotency-Key: curl-1")).text);
  assert.equal(again.sagaId, JSON.parse(first.text).sagaId);
  assert.equal(again.created, undefined);

  const listed = await curl("/skald.v1.SagaService/List", '{"status":["completed"],"limit":1}');
  assert.equal(JSON.parse(listed.text).sagas.length, 1);
});

test("curl: what is wrong is said, with its HTTP status", async () => {
  const cases = [
    [SUBMIT, "{}", 400, "invalid_argument", /definition: give the name/],
    [SUBMIT, '{"definition":"x","wiat":"done"}', 400, "invalid_argument", /unknown field wiat/],
    [SUBMIT, '{"definition":"x"}', 404, "not_found", /not registered/],
    [SUBMIT, "{", 400, "invalid_argument", /not valid JSON/],
    ["/skald.v1.SagaService/Submt", "{}", 404, "unimplemented", /SagaService/],
    ["/skald.v1.SagaService/Get", '{"sagaId":"x"}', 400, "invalid_argument", /saga_id/],
    [
      SUBMIT,
      '{"definition":"create_order","input":{"user_id":9007199254740993}}',
      400,
      "invalid_argument",
      /input\.user_id: integers beyond 2\^53/,
    ],
  ];
  for (const [path, body, status, code, message] of cases) {
    const answer = await curl(path, body);
    assert.equal(answer.status, status, answer.text);
    const error = JSON.parse(answer.text);
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
  assert.equal((await curl(SUBMIT)).status, 405);
  const text = await curl(SUBMIT, undefined, "-H", "Content-Type: text/plain", "-d", "x");
  assert.equal(text.status, 415);
  assert.equal((await curl("/healthz")).text, "ok\n");
  assert.equal((await curl("/readyz")).status, 200);
  assert.match((await curl("/metrics")).text, /^skald_submissions_total \d+$/m);
});

test("curl: a body beyond the limit is refused", async () => {
  const answer = await curl(SUBMIT, undefined, "-H", "Content-Type: application/json", "-d",
    `{"definition":"${"x".repeat(100_000)}"}`, "-H", "Content-Length: 2000000");
  assert.equal(answer.status, 413);
});
