// The page of books.

import { shelf } from "./books/library.js";
import { $ } from "./dom.js";

await shelf($("#book-list"));
