/**
 * Leaves the terminal as it was while Ctrl-Z stops the process, and comes back when it goes on.
 *
 * @returns lets Ctrl-Z be what it was
 */
export function atSuspension(leave: () => void, comeBack: () => void): () => void {
  if (process.platform === "win32") return () => {};
  const stop = () => {
    leave();
    // With no handler the signal stops the process, unless nobody is there to let it go on.
    process.off("SIGTSTP", stop);
    process.kill(process.pid, "SIGTSTP");
    process.on("SIGTSTP", stop);
    comeBack();
  };
  process.on("SIGTSTP", stop);
  // By other signals a process stops unasked.
  process.on("SIGCONT", comeBack);
  return () => {
    process.off("SIGTSTP", stop);
    process.off("SIGCONT", comeBack);
  };
}
