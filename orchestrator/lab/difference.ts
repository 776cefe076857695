/** One thing in which a middlebox is not what it is declared to be. */
export interface Difference {
  /** Such as `mapping endpoint-independent`. */
  readonly declared: string;
  /** Such as `address-and-port-dependent`. */
  readonly observed: string;
  /** Whether packets that were lost or late would explain it. */
  readonly isSilence: boolean;
}
