/** One behaviour of a NAT or firewall that differs from its declaration. */
export interface Difference {
  /** Such as `mapping endpoint-independent`. */
  readonly declared: string;
  /** Such as `address-and-port-dependent`. */
  readonly observed: string;
  /** Whether lost or late packets would explain it. */
  readonly isSilence: boolean;
}
