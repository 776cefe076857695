/** Program: turns offload off on the interfaces that its arguments name, and prints why it could not, as JSON. */

import { NodeFailure } from "../../../agent/src/io/failure.ts";
import { disableTransmitChecksumOffload } from "../../../agent/src/io/network/offload.ts";

try {
  disableTransmitChecksumOffload(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NodeFailure)) throw error;
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message }));
}
