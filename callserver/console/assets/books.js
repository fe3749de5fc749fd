// The page of the house's books.

import { $ } from "./dom.js";
import { shelf } from "./books/library.js";

await shelf($("#shelf"));
