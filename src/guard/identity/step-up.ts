import { AppError } from '../../core/index.ts';
import type { UsersStore } from '../../host/storage/users-store.ts';
import type { Audit } from '../audit/index.ts';
import { LoginLimited, type Credentials } from './credentials.ts';
import type { StepUp } from './ports.ts';

export interface StepUpDeps {
  readonly users: UsersStore;
  readonly credentials: Credentials;
  readonly audit: Audit;
}

/** Asks for the password again, under the limits of the login. Wrong ones are audited as `login.failed` with the act. */
export function createStepUp({ users, credentials, audit }: StepUpDeps): StepUp {
  return {
    async requireStepUp({ principal, address, act, password }) {
      if (password === undefined || password === '') {
        throw new AppError({
          family: 'forbidden',
          code: 'step_up_required',
          message: 'This act needs your password.',
          fix: 'Enter it and send the same again.',
        });
      }
      const user = users.byId(principal.id);
      const entry = { principal, origin: 'page', target: user?.username ?? '', outcome: 'refused' } as const;
      let verdict;
      try {
        verdict = await credentials.check({
          username: user?.username ?? principal.name,
          user,
          password,
          address,
        });
      } catch (error) {
        if (error instanceof LoginLimited && error.first) {
          audit.note({ ...entry, event: 'login.limited', details: { act } });
        }
        throw error;
      }
      if (verdict.ok) return;
      audit.note({ ...entry, event: 'login.failed', details: { act } });
      throw new AppError({
        family: 'forbidden',
        code: 'wrong_password',
        message: 'The password is wrong.',
      });
    },
  };
}
