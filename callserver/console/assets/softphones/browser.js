// Small helpers around browser interfaces.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Resolves at the first key or click; browsers play no sound before it.
export function gesture() {
  return new Promise((resolve) => {
    const done = () => {
      for (const kind of ["pointerup", "keydown"]) removeEventListener(kind, done, true);
      resolve();
    };
    for (const kind of ["pointerup", "keydown"]) addEventListener(kind, done, true);
  });
}
