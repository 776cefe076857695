import { describe, expect, test } from "vitest";
import { debianSources } from "../../../orchestrator/setup/debian-sources.ts";

const DEB822 = `Types: deb
# a comment
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
`;

const LINES = `# main
deb http://mirror.example/debian bookworm main contrib
deb-src http://mirror.example/debian bookworm main
deb [signed-by=/k.gpg arch=amd64] http://mirror.example/security bookworm-security main
deb http://apt.example.org/pub bookworm-pgdg main
deb http://other.example/node nodistro main
`;

describe("debianSources", () => {
  test("keeps Debian's own paragraphs as they are", () => {
    expect(debianSources([{ path: "a/debian.sources", text: DEB822 }], "bookworm")).toBe(DEB822);
  });

  test("keeps a paragraph that offers sources as well", () => {
    const text = "Types: deb-src deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n";
    expect(debianSources([{ path: "x.sources", text }], "bookworm")).toBe(text);
    const turned = text.replace("deb-src deb", "deb deb-src");
    expect(debianSources([{ path: "x.sources", text: turned }], "bookworm")).toBe(turned);
  });

  test("keeps Debian's own lines, and neither sources nor third parties", () => {
    expect(debianSources([{ path: "sources.list", text: LINES }], "bookworm")).toBe(
      "deb http://mirror.example/debian bookworm main contrib\n" +
        "deb [signed-by=/k.gpg arch=amd64] http://mirror.example/security bookworm-security main\n",
    );
  });

  test("leaves out paragraphs that are switched off, of third parties or of sources only", () => {
    const text = [
      DEB822.replace("Types: deb\n#", "Types: deb\nEnabled: no\n#").split("\n\n")[0],
      "Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main",
      "Types: deb\nURIs: https://deb.nodesource.example\nSuites: nodistro\nComponents: main",
    ].join("\n\n");
    expect(debianSources([{ path: "x.sources", text }], "bookworm")).toBe("");
  });

  test("gives one format when a machine has both, so that one reader understands it", () => {
    const files = [
      { path: "sources.list", text: LINES },
      { path: "debian.sources", text: DEB822 },
    ];
    expect(debianSources(files, "bookworm")).toBe(DEB822);
  });

  test("finds nothing for a release that the machine has no mirror of", () => {
    expect(debianSources([{ path: "sources.list", text: LINES }], "trixie")).toBe("");
  });
});
