/** Child processes that are killed. */

/** Runs a script of this folder and kills it (SIGKILL) when `killAt` says so of what it has told. */
export async function runAndKill(
  script: string,
  args: readonly string[],
  killAt: (told: string) => boolean | Promise<boolean>,
): Promise<{ readonly told: string; readonly killed: boolean }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", new URL(script, import.meta.url).pathname, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let told = "", killed = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    told += text;
    if (killed || !await killAt(told)) continue;
    child.kill("SIGKILL");
    killed = true;
  }
  await child.status;
  return { told, killed };
}

/** Waits. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
