import { buttonClass } from '../ui/button.tsx';

const IDEAS = [
  'What files do you have?',
  'Remember that I prefer short answers',
  "What's in your memory?",
  'Write a script that says hello',
] as const;

/** First things to say; they work with the demo as well. */
export function Suggestions({
  disabled,
  onPick,
}: {
  readonly disabled: boolean;
  readonly onPick: (text: string) => void;
}) {
  return (
    <div className="flex flex-wrap justify-center gap-2">
      {IDEAS.map((idea) => (
        <button
          key={idea}
          type="button"
          disabled={disabled}
          onClick={() => onPick(idea)}
          className={buttonClass('plain')}
          data-testid="suggestion"
        >
          {idea}
        </button>
      ))}
    </div>
  );
}
