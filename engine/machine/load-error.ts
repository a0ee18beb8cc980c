/** An image that does not fit the machine; the message is one line for the user. */
export class LoadError extends Error {}
