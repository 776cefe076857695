/** Program: turns offload off on the interfaces in its arguments, and prints any failure as JSON. */

import { NodeFailure } from "../../../agent/src/io/failure.ts";
import { disableTransmitChecksumOffload } from "../../../agent/src/io/network/offload.ts";

try {
  disableTransmitChecksumOffload(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NodeFailure)) throw error;
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message }));
}
