import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { LockKeyhole } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/client.ts';
import { place, vault } from '../api/queries.ts';
import type { VaultStatus } from '../api/types.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';

/** Seals the vault again. Nothing where no passphrase could open it. */
export function LockVault() {
  const router = useRouter();
  const { data } = useQuery(vault);
  const [asking, setAsking] = useState(false);
  if (data?.protection !== 'passphrase') return null;
  return (
    <>
      <Button
        icon={<LockKeyhole aria-hidden size={16} />}
        onClick={() => setAsking(true)}
        data-testid="vault-lock"
      >
        Lock the vault
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Lock the vault?"
        act="Lock the vault"
        testId="vault-lock-dialog"
        onAct={async () => {
          const status = await call<VaultStatus>('POST', '/api/vault/lock', { body: {} });
          place(vault.queryKey, status);
          router.history.push('/unlock?redirect=/secrets');
        }}
      >
        Everything that runs ends at once, and nothing runs until somebody enters the passphrase again.
      </Confirm>
    </>
  );
}
