import { Link } from '@tanstack/react-router';
import { Notice } from '../ui/notice.tsx';

/** Secrets that the script asks for and nobody set yet, with the way to set them. */
export function MissingSecrets({ names }: { readonly names: readonly string[] }) {
  return (
    <Notice
      tone="ask"
      title={names.length === 1 ? 'A secret is not set yet' : `${names.length} secrets are not set yet`}
      testId="script-missing-secrets"
    >
      <p>The script gets None where it asks for {names.length === 1 ? 'it' : 'them'}.</p>
      <ul className="flex flex-wrap gap-x-4">
        {names.map((name) => (
          <li key={name} className="min-w-0 max-md:py-2">
            <Link
              to="/secrets"
              search={{ set: name }}
              className="text-link underline underline-offset-2 wrap-anywhere"
            >
              Set <code>{name}</code>
            </Link>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
