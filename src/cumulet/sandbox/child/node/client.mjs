// The Node.js runtime client: loads the handler, serves one event after the other over frames on
// descriptor 3 (see messages.py), and writes logs as Lambda does.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html

import { createRequire } from "node:module";
import { writeSync, existsSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format, inspect } from "node:util";
import path from "node:path";

const INVOKE = 1, READY = 16, INIT_FAILED = 17, RESPONSE = 18, ERROR = 19, TOO_LARGE = 20;
const STREAM_BEGIN = 21, STREAM_CHUNK = 22, STREAM_END = 23, FATAL = 24;
const RESPONSE_BYTES_MAX = 6291556;
const CHUNK_BYTES_MAX = 65536;
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HTTP_STREAM_TYPE = "application/vnd.awslambda.http-integration-response";

const channel = new Socket({ fd: 3, readable: true, writable: true });
let requestId = "";

function send(kind, body = Buffer.alloc(0), done) {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt8(kind, 4);
  return channel.write(body.length ? Buffer.concat([head, body]) : head, done);
}

function writeAll(data) {
  let at = 0;
  while (at < data.length) {
    try {
      at += writeSync(1, data, at);
    } catch (error) {
      if (error.code !== "EAGAIN") return;
    }
  }
}

function writeRecord(text) {
  const body = Buffer.from(text);
  writeAll(Buffer.concat([Buffer.from(`\x1e${body.length}\n`), body]));
}

// --- console ---------------------------------------------------------------------------------

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const asJson = (process.env.AWS_LAMBDA_LOG_FORMAT ?? "").toUpperCase() === "JSON";
const lowest = asJson ? LEVELS.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL ?? "TRACE").toUpperCase()) : 0;

function logJson(level, parts) {
  const fields = { timestamp: new Date().toISOString(), level, requestId };
  const error = parts.find((part) => part instanceof Error);
  if (parts.length === 1 && typeof parts[0] === "object" && !error) fields.message = parts[0];
  else fields.message = format(...parts);
  if (error) {
    fields.errorType = error.name;
    fields.errorMessage = error.message;
    fields.stackTrace = (error.stack ?? "").split("\n").slice(1).map((line) => line.trim());
  }
  try {
    return JSON.stringify(fields);
  } catch {
    return JSON.stringify({ ...fields, message: format(...parts) });
  }
}

function log(level, parts) {
  if (LEVELS.indexOf(level) < lowest) return;
  if (asJson) writeRecord(logJson(level, parts));
  else writeRecord(`${new Date().toISOString()}\t${requestId || undefined}\t${level}\t${format(...parts)}`);
}

for (const [name, level] of [["trace", "TRACE"], ["debug", "DEBUG"], ["log", "INFO"],
                             ["info", "INFO"], ["warn", "WARN"], ["error", "ERROR"], ["fatal", "FATAL"]]) {
  console[name] = (...parts) => log(level, parts);
}

// --- errors ----------------------------------------------------------------------------------

function named(type, message) {
  const error = new Error(message);
  error.name = type;
  return error;
}

function describe(error) {
  if (error instanceof Error || (error && typeof error === "object" && "message" in error && "stack" in error)) {
    return {
      errorType: error.name ?? "Error",
      errorMessage: String(error.message),
      trace: String(error.stack ?? "").split("\n"),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function errorBody(error) {
  return Buffer.from(JSON.stringify(describe(error)));
}

function logError(title, error) {
  const fields = describe(error);
  const extra = error instanceof Error ? { ...error } : {};
  const text = JSON.stringify({ errorType: fields.errorType, errorMessage: fields.errorMessage, ...extra,
                                stack: fields.trace });
  if (asJson) writeRecord(logJson("ERROR", [error]));
  else writeRecord(`${new Date().toISOString()}\t${requestId || undefined}\tERROR\t${title}\t${text}`);
}

function exitAfter(kind, error) {
  send(kind, errorBody(error), () => process.exit(kind === INIT_FAILED ? 1 : 129));
}

process.on("uncaughtException", (error) => {
  logError("Uncaught Exception", error);
  exitAfter(requestId ? FATAL : INIT_FAILED, error);
});
process.on("unhandledRejection", (reason) => {
  const error = named("Runtime.UnhandledPromiseRejection", reason?.stack ? String(reason) : inspect(reason));
  error.reason = reason instanceof Error ? describe(reason) : reason;
  logError("Unhandled Promise Rejection", error);
  exitAfter(requestId ? FATAL : INIT_FAILED, error);
});

// --- streaming -------------------------------------------------------------------------------

class ResponseStream extends Writable {
  constructor() {
    super({ highWaterMark: CHUNK_BYTES_MAX });
    this.contentType = "application/octet-stream";
    this.prelude = null;
    this.begun = false;
  }
  setContentType(type) {
    this.contentType = type;
  }
  begin() {
    if (this.begun) return;
    this.begun = true;
    send(STREAM_BEGIN, Buffer.from(this.contentType));
    if (this.prelude) send(STREAM_CHUNK, this.prelude);
  }
  _write(chunk, encoding, done) {
    this.begin();
    const data = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, encoding);
    let clear = true;
    for (let at = 0; at < data.length; at += CHUNK_BYTES_MAX) {
      clear = send(STREAM_CHUNK, data.subarray(at, at + CHUNK_BYTES_MAX));
    }
    if (clear) done();
    else channel.once("drain", done);
  }
  _final(done) {
    this.begin();
    done();
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = "response";
    if (options?.highWaterMark !== undefined) handler.highWaterMark = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType(HTTP_STREAM_TYPE);
      stream.prelude = Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)]);
      return stream;
    },
  },
};

// --- loading ---------------------------------------------------------------------------------

function isModuleFolder(file, root) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (existsSync(manifest)) {
      try {
        return JSON.parse(readFileSync(manifest, "utf8")).type === "module";
      } catch {
        return false;
      }
    }
    if (folder === root || folder === path.dirname(folder)) return false;
  }
}

async function loadModule(root, name) {
  const base = path.resolve(root, name);
  if (!base.startsWith(root)) throw named("Runtime.MalformedHandlerName", `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const require = createRequire(path.join(root, "index.js"));
  const script = existsSync(base) && !existsSync(`${base}/`) ? base : `${base}.js`;
  try {
    if (existsSync(script)) return isModuleFolder(script, root) ? await import(pathToFileURL(script).href) : require(script);
    if (existsSync(`${base}.mjs`)) return await import(pathToFileURL(`${base}.mjs`).href);
    if (existsSync(`${base}.cjs`)) return require(`${base}.cjs`);
    return require(require.resolve(name, { paths: [root, path.resolve(root, path.dirname(name))] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw named("Runtime.UserCodeSyntaxError", String(error));
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      throw named("Runtime.ImportModuleError", `Error: Cannot find module '${path.basename(name)}'\n${error.message}`);
    }
    throw error;
  }
}

async function loadHandler(root, text) {
  const folder = path.dirname(text);
  const [moduleName, ...rest] = path.basename(text).split(".");
  if (!rest.length) throw named("Runtime.MalformedHandlerName", "Bad handler");
  let found = await loadModule(root, path.join(folder, moduleName));
  for (const name of rest.join(".").split(".")) found = found?.[name] ?? found?.default?.[name];
  if (!found) throw named("Runtime.HandlerNotFound", `${text} is undefined or not exported`);
  if (typeof found !== "function") throw named("Runtime.HandlerNotFound", `${text} is not a function`);
  return found;
}

// --- serving ---------------------------------------------------------------------------------

function readInvoke(body) {
  const deadline = Number(body.readBigInt64LE(0));
  let at = 28;
  const texts = [];
  for (let index = 0; index < 5; index++) {
    const size = body.readUInt32LE(8 + index * 4);
    texts.push(body.toString("utf8", at, at + size));
    at += size;
  }
  return { deadline, texts, payload: body.subarray(at) };
}

function makeContext(deadline, [id, , arn, clientContext, identity], finish) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: id,
    invokedFunctionArn: arn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: clientContext ? JSON.parse(clientContext) : undefined,
    identity: identity ? JSON.parse(identity) : undefined,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done: (error, value) => finish(error, value),
    succeed: (value) => finish(null, value),
    fail: (error) => finish(error ?? "handled"),
  };
}

function answer(value) {
  let text;
  try {
    text = JSON.stringify(value === undefined ? null : value);
    if (text === undefined) text = "null";
  } catch (error) {
    throw named("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
  }
  const body = Buffer.from(text);
  if (body.length > RESPONSE_BYTES_MAX) send(TOO_LARGE, Buffer.from(String(body.length)));
  else send(RESPONSE, body);
}

function fail(error) {
  logError("Invoke Error", error);
  const body = errorBody(error);
  requestId = "";
  send(ERROR, body);
}

function serveWhole(handler, event, deadline, texts) {
  let over = false;
  const settle = (error, value) => {
    if (over) return;
    over = true;
    process.removeListener("beforeExit", onEmpty);
    try {
      if (error) return fail(error);
      answer(value);
      requestId = "";
    } catch (trouble) {
      fail(trouble);
    }
  };
  let called = null;
  const context = makeContext(deadline, texts, (error, value) => settle(error, value));
  const callback = (error, value) => {
    if (called) return;
    called = [error, value];
    if (error || !context.callbackWaitsForEmptyEventLoop) settle(error, value);
    else { channel.unref(); waitForEmpty(); }
  };
  const onEmpty = () => { channel.ref(); settle(...(called ?? [null, null])); };
  const waitForEmpty = () => process.once("beforeExit", onEmpty);
  try {
    const result = handler(event, context, callback);
    if (result && typeof result.then === "function") result.then((value) => settle(null, value), (error) => settle(error ?? named("Error", String(error))));
    else if (!called) { channel.unref(); waitForEmpty(); }
  } catch (error) {
    settle(error ?? named("Error", String(error)));
  }
}

async function serveStream(handler, event, deadline, texts) {
  const stream = new ResponseStream();
  const context = makeContext(deadline, texts, () => {});
  try {
    await handler(event, stream, context);
    if (!stream.writableFinished) {
      await new Promise((resolve, reject) => {
        stream.once("finish", resolve);
        stream.once("error", reject);
      });
    }
    requestId = "";
    send(STREAM_END);
  } catch (error) {
    if (!stream.begun) return fail(error);
    logError("Invoke Error", error);
    requestId = "";
    send(STREAM_END, errorBody(error));
  }
}

function serve(handler, body) {
  const { deadline, texts, payload } = readInvoke(body);
  requestId = texts[0];
  if (texts[1]) process.env._X_AMZN_TRACE_ID = texts[1];
  else delete process.env._X_AMZN_TRACE_ID;
  let event;
  try {
    event = JSON.parse(payload.length ? payload.toString("utf8") : "{}");
  } catch (error) {
    return fail(named("Runtime.UnmarshalError", error.message));
  }
  if (handler[STREAMING]) serveStream(handler, event, deadline, texts);
  else serveWhole(handler, event, deadline, texts);
}

async function main() {
  let handler;
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    logError("Uncaught Exception", error);
    return exitAfter(INIT_FAILED, error);
  }
  let pieces = Buffer.alloc(0);
  channel.on("data", (data) => {
    pieces = pieces.length ? Buffer.concat([pieces, data]) : data;
    while (pieces.length >= 5) {
      const size = 5 + pieces.readUInt32LE(0);
      if (pieces.length < size) break;
      const body = pieces.subarray(5, size);
      pieces = pieces.subarray(size);
      serve(handler, body);
    }
  });
  channel.on("end", () => process.exit(0));
  channel.on("error", () => process.exit(0));
  send(READY);
}

main();
