// Whole amounts from 1 to 999,999 in words, so that 100 is not read as 1,000. A pure module.

const DANISH = {
  small:
    "nul et to tre fire fem seks syv otte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten".split(
      " ",
    ),
  tens: ["", "", "tyve", "tredive", "fyrre", "halvtreds", "tres", "halvfjerds", "firs", "halvfems"],
};
const ENGLISH = {
  small:
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
      " ",
    ),
  tens: ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
};

export function inWords(amount, language) {
  return language === "en" ? english(amount) : danish(amount);
}

function danish(amount) {
  const { small, tens } = DANISH;
  if (amount >= 1000) return joined(danish(Math.floor(amount / 1000)), "tusind", amount % 1000, danish, "og");
  if (amount >= 100) return joined(small[Math.floor(amount / 100)], "hundrede", amount % 100, danish, "og");
  if (amount < 20) return small[amount];
  const ten = tens[Math.floor(amount / 10)];
  const unit = amount % 10;
  return unit ? `${unit === 1 ? "en" : small[unit]}og${ten}` : ten;
}

function english(amount) {
  const { small, tens } = ENGLISH;
  if (amount >= 1000)
    return joined(english(Math.floor(amount / 1000)), "thousand", amount % 1000, english, "and");
  if (amount >= 100) return joined(small[Math.floor(amount / 100)], "hundred", amount % 100, english, "and");
  if (amount < 20) return small[amount];
  const ten = tens[Math.floor(amount / 10)];
  return amount % 10 ? `${ten}-${small[amount % 10]}` : ten;
}

// "to hundrede og fem", "et tusind to hundrede": `and` stands only before a rest below a hundred.
function joined(many, name, rest, words, and) {
  if (!rest) return `${many} ${name}`;
  return `${many} ${name} ${rest < 100 ? `${and} ` : ""}${words(rest)}`;
}
