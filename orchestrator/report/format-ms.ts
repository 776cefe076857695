/** `0.42 ms`, `12.3 ms`, `512 ms`, `2.5 s`: three digits. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${trim(ms / 1000, 2)} s`;
  return `${trim(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
