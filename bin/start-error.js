/** An error that is shown as it is: what happened, and what to do. */
export function startError(what, fix) {
  const error = new Error(`${what}\nWhat to do: ${fix}`);
  error.name = 'StartError';
  return error;
}
