/** Version of the library, as in deno.json; it stands in every run manifest. */
export const VERSION = "0.1.0";
