/** About `most` of a list, the last among them. As it grows, most of those before stay the same. */
export function spread<Item>(list: readonly Item[], most: number): Item[] {
  const every = 2 ** Math.max(0, Math.ceil(Math.log2(list.length / most)));
  return list.filter((_, k) => k % every === 0 || k === list.length - 1);
}
