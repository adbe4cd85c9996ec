/** Numbers, times and words for people, in the reader's zone. */

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export const fullTime = (text) => DAY.format(new Date(text));
export const clock = (text) => CLOCK.format(new Date(text));

/** “3 min. ago”. */
export function ago(text, now = Date.now()) {
  const seconds = (new Date(text) - now) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return AGO.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

/** “0.4 s”, “12 s”, “3:05 min”, “2:10 h”. */
export function span(milliseconds) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const [big, small, unit] = seconds < 3600 ? [seconds / 60, seconds % 60, "min"] : [seconds / 3600, (seconds / 60) % 60, "h"];
  return `${Math.floor(big)}:${String(Math.floor(small)).padStart(2, "0")} ${unit}`;
}

export function money(usd, priced = true) {
  if (!priced && !usd) return "no price";
  if (usd === 0) return "$0";
  return usd < 1 ? `$${Number(usd.toPrecision(2))}` : `$${usd.toFixed(2)}`;
}

export const count = (number) => number.toLocaleString("en");

export function bytes(size) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let at = 0;
  for (; size >= 1024 && at < 3; at += 1) size /= 1024;
  return `${at && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[at]}`;
}

/** `waiting_approval` → “Waiting approval”; `maxPlanSteps` → “Max plan steps”. */
export function words(name) {
  const text = String(name).replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").toLowerCase();
  return (text.charAt(0).toUpperCase() + text.slice(1)).replace(/\bhitl\b/i, "HITL");
}

/** How a session stands, in two words and with a class for its colour. */
export function standing({ status, last_run_status: run, suspend_reason: reason }) {
  if (run === "waiting_approval" && status === "suspended") return ["Waits for you", "waits"];
  if (run === "paused" || (status === "suspended" && reason === "user_requested" && run !== "cancelled")) return ["Paused", "paused"];
  if (status === "suspended" && run === "failed") return ["Failed", "failed"];
  if (status === "suspended" && run === "cancelled") return ["Cancelled", "ended"];
  if (run === "queued" && status === "active") return ["Queued", "running"];
  if (run === "running" && status === "active") return ["Running", "running"];
  if (status === "active") return ["Ready", "ready"];
  return [words(status), status === "completed" ? "completed" : "ended"];
}
