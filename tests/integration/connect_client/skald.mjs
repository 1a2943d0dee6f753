// Starts what the tests talk to: skaldd on a free port with a data directory of its own, and a
// participant that answers as its path says. Both end with the tests.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const READY_MS_MAX = 60_000; // a loaded machine starts slowly; a healthy one takes 100 ms

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this through ctest`);
  return value;
}

/** The services as protoc describes them: { saga, definition }. */
export function services() {
  const bytes = readFileSync(required("SKALD_DESCRIPTORS"));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  return {
    saga: registry.getService("skald.v1.SagaService"),
    definition: registry.getService("skald.v1.DefinitionService"),
    answer: registry.getMessage("skald.v1.SagaAnswer"),
  };
}

/** Resolves to { url, stop() } once the ready line is there. */
export async function startSkaldd() {
  const folder = mkdtempSync(join(tmpdir(), "skald_connect_"));
  const child = spawn(required("SKALDD"), ["--data", join(folder, "data"), "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`skaldd is not ready\n${log}`)), READY_MS_MAX);
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      const ready = /^skaldd ready listen=(\S+) pid=\d+$/m.exec(text);
      if (!ready) return;
      clearTimeout(timer);
      resolve(`http://${ready[1]}`);
    });
    exited.then((code) => reject(new Error(`skaldd ended with ${code}\n${log}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const code = await exited;
    rmSync(folder, { recursive: true, force: true });
    return { code, log };
  };
  return { url, stop };
}

/** POST /ok answers 200, /no answers 409, /hold answers when release() is called. */
export async function startParticipant() {
  const calls = [];
  const held = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      calls.push({ path: request.url, key: request.headers["idempotency-key"], body });
      const status = request.url === "/no" ? 409 : 200;
      const answer = () => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify({ path: request.url }));
      };
      if (request.url === "/hold") held.push(answer);
      else answer();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    calls,
    release: () => held.splice(0).forEach((answer) => answer()),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
