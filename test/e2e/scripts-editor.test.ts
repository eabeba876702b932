/** The code of a script in a real browser: it can be changed by keyboard, and nothing of it is hidden from a reviewer. */
import { expect, test } from 'vitest';
import { inBothThemes, seriousFindings, shot } from '../support/browser.ts';
import { getScript } from '../support/script-chat.ts';
import {
  approveScript,
  expected,
  id,
  openAt,
  putScript,
  scriptStage,
  sideways,
  skip,
  SUM,
  writeCode,
} from '../support/script-page.ts';

const stage = scriptStage();

test.skipIf(skip)(
  'the editor works under the page’s own policy, and what is saved is what was written, byte for byte',
  async () => {
    await putScript(stage.program, 'plain', SUM);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/plain');
    await id(page, 'script-edit').click();
    const written = '# first\n\ndef f(x):\n    return x  \n\nresult = f(3)\n';
    await writeCode(page, written);
    await id(page, 'script-draft-diff').getByText('+# first').waitFor();
    await shot(page, 'script-editing');
    await id(page, 'script-save').click();
    await id(page, 'script-said').waitFor();
    expect((await getScript(stage.program, 'plain')).source).toBe(written);
    // Its styles came through the sheet that its tree adopted: there is no style element and no style attribute of ours.
    expect(await page.evaluate("document.querySelectorAll('style').length")).toBe(0);
    expect(
      await page.evaluate(
        "getComputedStyle(document.querySelector('.code-host').shadowRoot.querySelector('.cm-gutters')).display",
      ),
    ).toBe('flex');
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

test.skipIf(skip)(
  'the keyboard gets into the editor and out of it, and saves from within',
  async () => {
    await putScript(stage.program, 'keys', 'result = 1\n');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/keys');
    await id(page, 'script-edit').focus();
    await page.keyboard.press('Enter');
    // It has the focus from the beginning.
    await id(page, 'script-text').waitFor();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('jk = 2');
    await page.keyboard.press('Control+BracketRight');
    await id(page, 'script-text').getByText('    jk = 2').waitFor();
    await page.keyboard.press('Control+BracketLeft');
    // A button that can't be pressed yet is passed by.
    await expect.poll(() => id(page, 'script-save').isEnabled()).toBe(true);
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement?.dataset['testid']")).toBe('script-save');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Control+s');
    await id(page, 'script-said').waitFor();
    expect((await getScript(stage.program, 'keys')).source).toBe('result = 1\njk = 2');
    // Reading: the focus gets to the code, and on.
    await id(page, 'script-code').focus();
    await page.keyboard.press('Tab');
    expect(await page.evaluate("document.activeElement?.className.includes('code-host')")).toBe(false);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

test.skipIf(skip)(
  'a mistake stands under its line; a draft survives a newer version and shows what it would change there',
  async () => {
    await putScript(stage.program, 'draft', SUM);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/draft');
    await id(page, 'script-edit').click();
    await writeCode(page, 'result = 1\ndef broken(:\n    pass\n');
    await id(page, 'script-save').click();
    await id(page, 'script-mistakes').getByText('Line 2:').waitFor();
    await page.locator('.cm-mistake').getByText('Line 2:').waitFor();
    await shot(page, 'script-mistake');
    const mine = SUM.replace('a + b', 'a - b');
    await writeCode(page, mine);
    await putScript(stage.program, 'draft', SUM.replace('a + b', 'a * b'));
    await id(page, 'script-meanwhile').waitFor();
    expect(await id(page, 'script-save').isDisabled()).toBe(true);
    await id(page, 'script-meanwhile-take').click();
    await id(page, 'script-draft-diff').getByText('−    return a * b').waitFor();
    await shot(page, 'script-meanwhile');
    await id(page, 'script-save').click();
    await id(page, 'script-said').waitFor();
    expect((await getScript(stage.program, 'draft')).source).toBe(mine);

    // Leaving what is not saved is asked about.
    await id(page, 'script-edit').click();
    await writeCode(page, 'lost = 1\n');
    await id(page, 'rail-scripts').click();
    await id(page, 'script-discard-dialog').getByText('Keep things as they are').click();
    await id(page, 'script-text').getByText('lost = 1').waitFor();
    expect(new URL(page.url()).pathname).toBe('/scripts/draft');
    await id(page, 'script-discard').click();
    await id(page, 'script-discard-dialog-act').click();
    await id(page, 'script-code').getByText('return a - b').waitFor();
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

const TRICKS = [
  '# @description: Looks harmless\n',
  'safe = "\u202e)(live"  # \u2066 order\n',
  'name = 1  # na\u200bme\n',
  '# all good\rresult = "hidden behind a carriage return"\n',
  '# \u05d0\u05d1\u05d2 12 = x\n',
  'blank = 2   \n',
  'x = "\u00a0\ufe0f\u{e0041}"\n',
].join('');

test.skipIf(skip)(
  'what can’t be seen is marked: in the code, in the editor, and on both sides of a difference',
  async () => {
    await putScript(stage.program, 'tricks', 'result = 0\n');
    await putScript(stage.program, 'tricks', TRICKS);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/tricks');
    const marks = async (testId: string) => id(page, testId).locator('.cm-hidden').allTextContents();
    const all = ['U+202E', 'U+2066', 'U+200B', 'U+000D', 'U+00A0', 'U+FE0F', 'U+E0041'];
    await id(page, 'script-code').locator('.cm-hidden').first().waitFor();
    expect(await marks('script-code')).toEqual(all);
    await id(page, 'code-hidden').getByText('7 characters are normally invisible').waitFor();
    // The carriage return ends no line: what stands behind it is on the same one.
    await id(page, 'script-code')
      .locator('.cm-line', { hasText: 'all good' })
      .getByText('hidden behind')
      .waitFor();
    expect(await id(page, 'script-code').locator('.cm-blanks').allTextContents()).toEqual(['   ']);
    await shot(page, 'script-tricks');

    await id(page, 'script-compare').click();
    await id(page, 'script-compare-diff').locator('.cm-hidden').first().waitFor();
    expect(await marks('script-compare-diff')).toEqual(all);
    await id(page, 'script-compare-from').selectOption({ index: 0 });
    await id(page, 'script-compare-to').selectOption({ index: 1 });
    await id(page, 'script-compare-diff').locator('.cm-removed .cm-hidden').first().waitFor();
    expect(await marks('script-compare-diff')).toEqual(all);
    await id(page, 'script-compare-diff').scrollIntoViewIfNeeded();
    await shot(page, 'script-compare');

    await id(page, 'script-edit').click();
    await id(page, 'script-text').locator('.cm-hidden').first().waitFor();
    expect(await marks('script-text')).toEqual(all);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

test.skipIf(skip)(
  'a text of 256 KiB, with one line of 100,000 characters, is shown to its end',
  async () => {
    const lines = Array.from({ length: 4_000 }, (_, index) => `v${index} = ${index}`).join('\n');
    const long = `# ${'word '.repeat(20_000)}\u202eend-of-long`;
    const source = `result = 1\n${long}\n${lines}\nlast_of_all = 1\n`;
    expect(source.length).toBeLessThan(256 * 1024);
    await putScript(stage.program, 'large', source);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/large');
    await id(page, 'script-code').waitFor();
    const seen = async (text: string) => {
      // By wheel, as a person reads: the view draws what comes into sight.
      await id(page, 'script-code').hover();
      for (let step = 0; step < 400; step += 1) {
        if ((await id(page, 'script-code').getByText(text).count()) > 0) return true;
        await page.mouse.wheel(0, 2_000);
        await page.evaluate('new Promise((done) => requestAnimationFrame(() => done(1)))');
      }
      return false;
    };
    expect(await seen('end-of-long')).toBe(true);
    expect(await id(page, 'script-code').locator('.cm-hidden').allTextContents()).toEqual(['U+202E']);
    expect(await seen('last_of_all = 1')).toBe(true);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'code and differences have no serious finding on a phone and on a desk, light and dark, and don’t scroll sideways',
  async () => {
    await putScript(stage.program, 'look', SUM);
    await approveScript(stage.program, 'look');
    await putScript(
      stage.program,
      'look',
      SUM.replace('a + b', 'a + b + 1  # a remark that is long enough to need more than one line on a phone'),
    );
    for (const width of [390, 1280]) {
      const { context, page } = await openAt(stage.browser, stage.program, '/scripts/look', {
        viewport: { width, height: 844 },
        bypassCSP: true,
      });
      await id(page, 'script-diff').getByText('a remark').waitFor();
      await id(page, 'script-diff').scrollIntoViewIfNeeded();
      const stands = (what: string): Promise<void> =>
        inBothThemes(page, async (theme) => {
          const where = `${what}-${width}-${theme}`;
          await shot(page, where);
          expect(await seriousFindings(page), where).toEqual([]);
          expect(await sideways(page), `sideways ${where}`).toBe(0);
        });
      await stands('script-diff');
      await id(page, 'script-edit').click();
      await writeCode(page, SUM.replace('add', 'plus'));
      await id(page, 'script-draft-diff').waitFor();
      await stands('script-edit');
      await context.close();
    }
  },
  120_000,
);
