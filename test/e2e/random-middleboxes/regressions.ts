/** Numbers whose networks once did something else than the model said; each stays until it does again. */

export const REGRESSIONS: readonly { readonly seed: number; readonly was: string }[] = [];
