/** What no probe verifies, and why. */

/** A router's LAN that no probe comes from; `lan` is `outside` for a way in that no probe tests. */
export interface Unprobed {
  readonly router: string;
  readonly lan: string;
  readonly reason: string;
}
