// The page of books.

import { shelf } from "./books/library.js";
import { $ } from "./dom.js";
import { untilAnswered } from "./live.js";

await untilAnswered(() => shelf($("#book-list")));
