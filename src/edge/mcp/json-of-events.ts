/**
 * A caller that takes no event stream gets the one message that a stream of ours ends with, as JSON. Streams of one
 * request hold nothing else but signs of life.
 */
export async function jsonOfEvents(response: Response): Promise<Response> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return response;
  const text = await response.text();
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .at(-1);
  if (data === undefined) throw new Error('a stream without a message');
  return new Response(data.slice('data: '.length), {
    status: response.status,
    headers: { 'content-type': 'application/json' },
  });
}
