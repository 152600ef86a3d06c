/** Something to do at the end, whatever happened before. */
type CleanUp = () => unknown;

/**
 * Does all of `cleanUps`, one after the other. If one fails, the others are done all the same.
 *
 * @throws what the first that failed threw
 */
export async function cleanUp(...cleanUps: readonly CleanUp[]): Promise<void> {
  const failure = await firstFailure(cleanUps);
  if (failure) throw failure.error;
}

/**
 * Does `action`, and then all of `cleanUps`.
 *
 * @throws what went wrong first: a failure to clean up never hides that of the action
 */
export async function thenCleanUp<Result>(
  action: () => Result | Promise<Result>,
  ...cleanUps: readonly CleanUp[]
): Promise<Result> {
  const result = await cleanUpOnFailure(action, ...cleanUps);
  await cleanUp(...cleanUps);
  return result;
}

/** Does `action`, and where it fails all of `cleanUps`; throws what the action threw. */
export async function cleanUpOnFailure<Result>(
  action: () => Result | Promise<Result>,
  ...cleanUps: readonly CleanUp[]
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    await firstFailure(cleanUps);
    throw error;
  }
}

/** Yields what `values` yields, and does all of `cleanUps` when it ends, fails, or is abandoned early. */
export async function* cleanUpAfter<Value>(
  values: AsyncIterable<Value>,
  ...cleanUps: readonly CleanUp[]
): AsyncGenerator<Value, void> {
  let hasFailed = false;
  try {
    yield* values;
  } catch (error) {
    hasFailed = true;
    throw error;
  } finally {
    const failure = await firstFailure(cleanUps);
    // biome-ignore lint/correctness/noUnsafeFinally: it hides nothing that went wrong before
    if (failure && !hasFailed) throw failure.error;
  }
}

/** Closes a file that was only read: nothing is lost where that fails. */
export async function closeRead(file: { close(): Promise<unknown> } | undefined): Promise<void> {
  await file?.close().catch(() => {});
}

async function firstFailure(
  cleanUps: readonly CleanUp[],
): Promise<{ readonly error: unknown } | undefined> {
  let first: { readonly error: unknown } | undefined;
  for (const one of cleanUps) {
    try {
      await one();
    } catch (error) {
      first ??= { error };
    }
  }
  return first;
}
