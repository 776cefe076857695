import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** Node modules that perform effects or read the clock; pure folders import none of them. */
const EVERY_NODE_MODULE = { group: ["node:*"], message: "This folder is pure: take what you need as an argument." };

/** The ways to read the clock or draw randomness that pure code has no use for. */
const AMBIENT = [
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "console",
  "process",
  "crypto",
].map((name) => ({ name, message: "Time, randomness and output are arguments here." }));

const MATH_RANDOM = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: "Randomness is an argument: use an injected Rng.",
};

/** One layer of the import order: its files, and what they may not import. `pure` also forbids ambient effects. */
const layer = (files, { forbid = [], nodeModules = "allowed", pure = false }) => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          ...forbid.map((group) => ({
            group: [group],
            message: "The import order forbids this: see CONTRIBUTING, Map of the house.",
          })),
          ...(nodeModules === "forbidden" ? [EVERY_NODE_MODULE] : []),
          ...(nodeModules === "hmac-and-crc"
            ? [
                { regex: "^node:(?!crypto$|zlib$)", message: "The protocol core does no I/O." },
                { group: ["node:crypto"], allowImportNames: ["createHmac", "createHash", "timingSafeEqual"] },
                { group: ["node:zlib"], allowImportNames: ["crc32"] },
              ]
            : []),
        ],
      },
    ],
    ...(pure ? { "no-restricted-globals": ["error", ...AMBIENT], "no-restricted-syntax": ["error", MATH_RANDOM] } : {}),
  },
});

export default tseslint.config(
  { ignores: ["node_modules", "out", "coverage", "images/.build", "images/**/*.lua"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] } } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      // It takes five seconds, and `erasableSyntaxOnly` allows no enum.
      "@typescript-eslint/no-unsafe-enum-assignment": "off",
      // `const { seed, ...behaviour } = nat` is how a value is carried whole without one of its fields.
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      complexity: ["error", 15],
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": ["error", MATH_RANDOM],
    },
  },
  { files: ["test/**", "tools/**"], rules: { "max-lines-per-function": "off", "max-lines": ["error", 600] } },
  {
    files: ["**/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: "readonly", URL: "readonly" } },
  },
  layer(["agent/src/core/**"], {
    forbid: ["**/io/**", "**/control/**", "**/testing/**"],
    nodeModules: "hmac-and-crc",
    pure: true,
  }),
  layer(["agent/src/control/**"], { forbid: ["**/io/**", "**/testing/**"], nodeModules: "forbidden", pure: true }),
  layer(["agent/src/testing/**"], { forbid: ["**/io/**"], nodeModules: "forbidden", pure: true }),
  layer(["agent/src/io/**", "agent/src/{launch,main}.ts"], { forbid: ["**/testing/**", "**/orchestrator/**"] }),
  layer(["orchestrator/topology/**"], {
    forbid: ["**/plan/**", "**/render/**", "**/runtime/**", "**/lab/**", "**/report/**", "**/commands/**"],
    nodeModules: "forbidden",
    pure: true,
  }),
  layer(["orchestrator/render/**"], {
    forbid: ["**/plan/**", "**/runtime/**", "**/lab/**", "**/report/**", "**/commands/**"],
    nodeModules: "forbidden",
    pure: true,
  }),
  layer(["orchestrator/plan/**"], {
    forbid: ["**/runtime/**", "**/lab/**", "**/report/**", "**/commands/**"],
    nodeModules: "forbidden",
    pure: true,
  }),
  layer(["orchestrator/trace/**"], {
    forbid: ["**/plan/**", "**/runtime/**", "**/lab/**", "**/judge/**", "**/report/**", "**/commands/**"],
    nodeModules: "forbidden",
    pure: true,
  }),
  layer(["orchestrator/judge/**"], {
    forbid: ["**/runtime/**", "**/report/**", "**/commands/**"],
    nodeModules: "forbidden",
    pure: true,
  }),
  layer(["orchestrator/report/**"], {
    forbid: ["**/runtime/*/**", "**/commands/**"],
    nodeModules: "forbidden",
    pure: true,
  }),
  layer(["orchestrator/runtime/**"], { forbid: ["**/lab/**", "**/report/**", "**/commands/**", "**/topology/**"] }),
  layer(["orchestrator/lab/**"], { forbid: ["**/judge/**", "**/report/**", "**/commands/**", "dockerode", "execa"] }),
  layer(["orchestrator/commands/**"], { forbid: ["dockerode"] }),
);
