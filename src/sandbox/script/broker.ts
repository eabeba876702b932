/** The script's way to the outside: one question at a time, and it waits for the answer. */
import type { BrokerAnswer, BrokerRequest } from '../wire/index.ts';

export interface Broker {
  /**
   * Asks and blocks until the answer is there. In a process of its own: write the line, then read the pipe with
   * blocking reads up to the next line end. Throws only when the other end is gone; that ends the process.
   */
  ask(request: BrokerRequest): BrokerAnswer;
}
