import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { CallError } from './api/client.ts';
import { queryClient } from './api/queries.ts';
import { onSessionChange, sessionState, Unreachable } from './api/session.ts';
import { router } from './router.tsx';
// Every screen follows the device, also those before the login.
import './ui/theme.ts';
import './styles.css';

// Logged out in another tab, or the refresh cookie is no longer valid: what this tab knows is dropped, and the guards
// of the routes lead to the login.
let was = sessionState().status;
onSessionChange(() => {
  const { status } = sessionState();
  if (was === 'in' && status === 'out') {
    queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== 'setup' });
    void router.invalidate();
  }
  was = status;
});

const root = document.getElementById('root');
if (!root) throw new Error('the page has no root element');
createRoot(root, {
  // A server that refuses or does not answer is expected, and said on the page; anything else is a bug to be seen.
  onCaughtError(error) {
    if (!(error instanceof CallError) && !(error instanceof Unreachable)) console.error(error);
  },
}).render(
  <StrictMode>
    {/* The page's policy refuses <style> elements; base-ui's are in styles.css. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
