/** How many of some packets arrived after a later one (RFC 4737 section 3.3). */

/** `arrivals`: when each arrived, in the order of sending. */
export function countReordered(arrivals: readonly number[]): number {
  let latest = -Infinity;
  return arrivals.filter((arrivedAt) => {
    const isLate = arrivedAt < latest;
    latest = Math.max(latest, arrivedAt);
    return isLate;
  }).length;
}
