/** `testbed exec` and `testbed shell`: a command in a node of a lab, with the user's own terminal or pipes. */

import { TestbedError } from "../../support/errors.ts";
import type { ExitCode } from "../context.ts";
import { withTarget } from "./find-lab.ts";

/**
 * Runs `[lab] <node> <command…>` and returns the command's exit code. Meanwhile signals of the terminal are the
 * command's: it decides what Ctrl-C does.
 */
export function exec(words: readonly string[]): Promise<ExitCode> {
  return withTarget(words, ({ lab, node, rest }) => {
    if (rest.length === 0) {
      throw new TestbedError("bad-usage", `expected a command to run in ${node}`, {
        hint: `testbed exec ${node} -- ip address, or testbed shell ${node}`,
      });
    }
    return lab.labs.exec(lab.runId, node, rest);
  });
}

/** An interactive shell in a node, which says where it is. Its exit leaves the lab alone. */
export function shell(words: readonly string[]): Promise<ExitCode> {
  return withTarget(words, ({ lab, node, rest }) => {
    if (rest.length > 0) {
      throw new TestbedError("bad-usage", `expected nothing after ${node}, found ${rest.join(" ")}`, {
        hint: `testbed exec ${node} -- ${rest.join(" ")} runs a command`,
      });
    }
    return lab.labs.exec(lab.runId, node, ["sh", "-c", SHELL_SCRIPT, node]);
  });
}

/** `$0`: the node. Of the user's own start-up files none is read: they may set another prompt. */
const SHELL_SCRIPT = `
export PS1="$0:\\w\\\\$ "
if command -v bash > /dev/null; then exec bash --norc --noprofile -i; fi
exec sh -i`;
