// Queries of CloudWatch Logs Insights: asked, waited for, and their rows as objects.

import { call } from "./call.js";

const WAIT_MS = 300;
const WAITS_MAX = 200;
const LIMIT = 1000;

// Rows of a query over groups (a name, or a list of names). Throws when it fails or takes too long.
export async function query(groups, queryString, [startTime, endTime]) {
  const { queryId } = await call("logs", "StartQuery", { logGroupNames: [groups].flat(), queryString, startTime: Math.floor(startTime), endTime: Math.ceil(endTime), limit: LIMIT });
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    const answer = await call("logs", "GetQueryResults", { queryId });
    if (answer.status === "Complete") return answer.results.map((row) => Object.fromEntries(row.filter(({ field }) => field !== "@ptr").map(({ field, value }) => [field, value])));
    if (!["Scheduled", "Running"].includes(answer.status)) throw new Error(`The query of the log ended: ${answer.status}.`);
    await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
  }
  throw new Error("The query of the log takes too long: choose a shorter range.");
}
