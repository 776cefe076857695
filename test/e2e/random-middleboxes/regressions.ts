/** Numbers of networks that once differed from the prediction, kept as regression tests. */

export const REGRESSIONS: readonly { readonly seed: number; readonly was: string }[] = [];
