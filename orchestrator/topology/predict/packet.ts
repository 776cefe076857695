/** UDP packets as the model sees them: two ends and no content. */

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

export interface ModelPacket {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** Text that is equal for equal endpoints. */
export function endpointKey({ ip, port }: Endpoint): string {
  return `${ip} ${port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.ip === b.ip && a.port === b.port;
}
