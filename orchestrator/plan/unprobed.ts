/** What no probe shows of a middlebox. */

/** A middlebox's LAN that no probe comes from; `outside` for a way in that none shows. */
export interface Unprobed {
  readonly router: string;
  readonly lan: string;
  readonly reason: string;
}
