// The share of slow answers counted call by call, in the lines of a stage's access log.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html

import { query } from "../../../aws/insights.js";

const NAMES = { latency: "$context.responseLatency", verb: "$context.httpMethod", path: "$context.resourcePath" };

// The fields of a log whose lines are JSON and tell the latency; undefined where they do not.
export function logOf(stage) {
  const settings = stage?.accessLogSettings;
  if (!settings?.destinationArn?.includes(":log-group:")) return undefined;
  try {
    const format = Object.entries(JSON.parse(settings.format.replace(/:\s*(\$[\w.]+)/g, ':"$1"')));
    const fields = Object.fromEntries(Object.entries(NAMES).map(([name, variable]) => [name, format.find(([, value]) => value === variable)?.[0]]));
    return fields.latency && { group: settings.destinationArn.split(":log-group:")[1].replace(/:\*$/, ""), fields };
  } catch {
    return undefined;
  }
}

export function canFilter(log, method) {
  return !method || (log.fields.verb && log.fields.path);
}

// How many calls a log has in a range, and how many of them took longer than the threshold (ms).
export async function counted(log, method, range, threshold) {
  const { latency, verb, path } = log.fields;
  const only = [`ispresent(${latency})`, ...(method ? [`${verb} = "${method.verb}"`, `${path} = "${method.path}"`] : [])];
  const count = async (more) => {
    const [row] = await query(log.group, `filter ${[...only, ...more].join(" and ")} | stats count(*) as found`, range);
    return Number(row?.found ?? 0);
  };
  const [all, over] = await Promise.all([count([]), count([`${latency} > ${threshold}`])]);
  return { all, over };
}
