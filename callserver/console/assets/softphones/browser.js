// Small things that browsers do not say in one word.

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The first key or click: before it no page may make a sound.
export function gesture() {
  return new Promise((resolve) => {
    const done = () => {
      for (const kind of ["pointerup", "keydown"]) removeEventListener(kind, done, true);
      resolve();
    };
    for (const kind of ["pointerup", "keydown"]) addEventListener(kind, done, true);
  });
}
