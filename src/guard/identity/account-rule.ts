import { AppError } from '../../core/index.ts';

const MAX_NAME = 64;

/** Trimmed; 1 to 64 letters, digits, dots, dashes, underscores or @. Error: `invalid_username`. */
export function requireUsername(username: string): string {
  const name = username.trim().normalize('NFC');
  if (!new RegExp(`^[\\p{L}\\p{N}._@-]{1,${MAX_NAME}}$`, 'u').test(name)) {
    throw new AppError({
      family: 'input',
      code: 'invalid_username',
      message: `The user name needs 1 to ${MAX_NAME} letters, digits, dots, dashes, underscores or @.`,
    });
  }
  return name;
}

/** One line of 1 to 64 characters that can be seen; it will stand in the assistant's instructions. */
export function requireName(field: 'agent_name' | 'user_name', value: string): string {
  const name = value.trim().normalize('NFC');
  const length = [...name].length;
  if (length < 1 || length > MAX_NAME || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>]/u.test(name) || !name.isWellFormed()) {
    throw new AppError({
      family: 'input',
      code: `invalid_${field}`,
      message: `${field === 'agent_name' ? "The assistant's name" : 'Your name'} needs 1 to ${MAX_NAME} characters on one line, without < and >.`,
    });
  }
  return name;
}

/** Empty means UTC. Error: `invalid_timezone`. */
export function requireTimezone(value: string): string {
  const zone = value.trim() === '' ? 'UTC' : value.trim();
  try {
    // Throws for a name that it doesn't know.
    Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch (error) {
    throw new AppError({
      family: 'input',
      code: 'invalid_timezone',
      message: `"${zone.slice(0, MAX_NAME)}" is no timezone that this machine knows.`,
      fix: 'Take a name such as Europe/Berlin or UTC.',
      cause: error,
    });
  }
}
