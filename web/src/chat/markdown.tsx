import { ImageOff, Square, SquareCheck } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import ReactMarkdown, { type Components, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CopyButton } from '../ui/copy-button.tsx';

/**
 * Guarantees: what the assistant writes becomes text and nothing else. HTML stays text; nothing is loaded by showing
 * it (an image address is a way to send data out); a link shows the host that it leads to, and leads there only when
 * somebody clicks it.
 * Does not: judge where a link leads.
 * An attacker may control: the whole text.
 */
export const Markdown = memo(function Markdown({ text }: { readonly text: string }) {
  return (
    <div className="prose-chat">
      <ReactMarkdown remarkPlugins={PLUGINS} components={COMPONENTS} urlTransform={safeUrl}>
        {text}
      </ReactMarkdown>
    </div>
  );
});

const PLUGINS: NonNullable<Options['remarkPlugins']> = [[remarkGfm, { singleTilde: false }]];

/** Anything but these becomes an empty address, and then no link. Image addresses pass so that their host can be named. */
function safeUrl(url: string): string {
  return /^(?:https?:|mailto:)/i.test(url) ? url : '';
}

function hostOf(url: string): string | null {
  try {
    const parsed = new URL(url);
    return parsed.protocol === 'mailto:' ? parsed.pathname : parsed.host;
  } catch {
    return null;
  }
}

const COMPONENTS: Components = {
  a({ href, children }) {
    const host = href ? hostOf(href) : null;
    if (!href || host === null) return <span>{children}</span>;
    const bare = children === href || children === host;
    return (
      <>
        <a
          href={href}
          target="_blank"
          rel="noopener noreferrer nofollow"
          className="text-link underline decoration-1 underline-offset-2"
        >
          {children}
        </a>
        {!bare && <span className="text-mini text-faint"> ({host})</span>}
      </>
    );
  },
  img({ src, alt }) {
    const host = typeof src === 'string' ? hostOf(src) : null;
    return (
      <span className="inline-flex max-w-full items-center gap-1 rounded-sm border border-line bg-sunken px-1.5 text-mini text-muted">
        <ImageOff aria-hidden size={12} className="shrink-0" />
        <span className="truncate">
          {alt ? `Image: ${alt}` : 'Image'}
          {host ? `, not loaded from ${host}` : ', not loaded'}
        </span>
      </span>
    );
  },
  input({ checked }) {
    return checked ? (
      <SquareCheck aria-label="done" size={14} className="mr-1 inline align-[-2px] text-ok" />
    ) : (
      <Square aria-label="open" size={14} className="mr-1 inline align-[-2px] text-faint" />
    );
  },
  pre({ children }) {
    return <CodeBlock>{children}</CodeBlock>;
  },
  table({ children }) {
    return (
      // A wide table scrolls, so the keyboard must reach it.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      <div className="overflow-x-auto" tabIndex={0} role="group" aria-label="Table">
        <table>{children}</table>
      </div>
    );
  },
  // The page has the first level; the assistant's begin below it.
  h1: ({ children }) => <h2 className="text-[16px]">{children}</h2>,
  h2: ({ children }) => <h3 className="text-[15px]">{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h5>{children}</h5>,
  h5: ({ children }) => <h6>{children}</h6>,
  h6: ({ children }) => <h6>{children}</h6>,
};

function CodeBlock({ children }: { readonly children: ReactNode }) {
  const code = codeOf(children);
  return (
    <div className="overflow-hidden rounded-md border border-line bg-sunken">
      <div className="flex h-7 items-center justify-between border-b border-line pr-1 pl-3 text-mini text-faint">
        <span className="font-mono">{code.language ?? 'text'}</span>
        <CopyButton text={code.text} label="Copy this code" />
      </div>
      <pre
        className="overflow-x-auto px-3 py-2 font-mono text-[12.5px] leading-5"
        // Long lines scroll, so the keyboard must reach them.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <code>{code.text}</code>
      </pre>
    </div>
  );
}

function codeOf(children: ReactNode): { readonly text: string; readonly language: string | undefined } {
  if (typeof children === 'object' && children !== null && 'props' in children) {
    const props = children.props as { readonly className?: string; readonly children?: ReactNode };
    return {
      text: textOf(props.children).replace(/\n$/, ''),
      language: /language-([\w+#.-]+)/.exec(props.className ?? '')?.[1],
    };
  }
  return { text: textOf(children), language: undefined };
}

/** Code is plain text in the tree; anything else in its place would be a mistake, and is shown as nothing. */
function textOf(node: ReactNode): string {
  return typeof node === 'string' ? node : '';
}
