import { describe, expect, test } from "vitest";
import { type MachineFacts, nextEngineStep } from "../../../orchestrator/setup/engine-step.ts";

/** A fresh Debian machine, used as root. */
const FRESH: MachineFacts = {
  engine: "silent",
  endpoint: "unix:///var/run/docker.sock",
  isOwnChoice: false,
  hasEngineInstalled: false,
  isEngineRunning: false,
  hasSystemd: true,
  hasApt: true,
  rootAccess: "root",
};
const INSTALLED: MachineFacts = { ...FRESH, hasEngineInstalled: true };

describe("nextEngineStep", () => {
  test.each<[string, MachineFacts, object]>([
    ["does nothing where an engine answers", { ...FRESH, engine: "answers" }, { type: "nothing" }],
    ["installs where there is none", FRESH, { type: "install" }],
    ["installs with sudo too", { ...FRESH, rootAccess: "sudo" }, { type: "install" }],
    ["starts one that is stopped through systemd", INSTALLED, { type: "start", by: "systemd" }],
    ["starts it by itself elsewhere", { ...INSTALLED, hasSystemd: false }, { type: "start", by: "setsid" }],
    ["waits for one that runs, and starts no second", { ...INSTALLED, isEngineRunning: true }, { type: "wait" }],
    [
      "opens the socket for a user with sudo",
      { ...INSTALLED, engine: "refuses", rootAccess: "sudo" },
      { type: "open-socket" },
    ],
  ])("%s", (_, facts, step) => {
    expect(nextEngineStep(facts)).toEqual(step);
  });

  test.each<[string, MachineFacts, RegExp]>([
    ["without root", { ...FRESH, rootAccess: "none" }, /sudo/],
    ["without apt", { ...FRESH, hasApt: false }, /docs\.docker\.com/],
    ["where DOCKER_HOST names another engine", { ...FRESH, isOwnChoice: true }, /unset DOCKER_HOST/],
    ["when refused without sudo", { ...INSTALLED, engine: "refuses", rootAccess: "none" }, /usermod -aG docker/],
    [
      "when refused by an engine of the user's choice",
      { ...INSTALLED, engine: "refuses", isOwnChoice: true, rootAccess: "sudo" },
      /usermod/,
    ],
  ])("gives up %s, and says what to do", (_, facts, hint) => {
    expect(nextEngineStep(facts)).toMatchObject({ type: "give-up", hint: expect.stringMatching(hint) as string });
  });
});
