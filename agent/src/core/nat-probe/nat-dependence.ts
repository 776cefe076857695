/** What a NAT's mapping depends on, or its filter looks at (RFC 4787 sections 4.1 and 5). */
export type NatDependence = "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
