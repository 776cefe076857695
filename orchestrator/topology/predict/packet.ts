/** UDP packets of the model: source and destination, no content. */

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

export interface ModelPacket {
  readonly source: Endpoint;
  readonly destination: Endpoint;
}

/** Text that identifies an endpoint. */
export function endpointKey({ ip, port }: Endpoint): string {
  return `${ip} ${port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.ip === b.ip && a.port === b.port;
}
