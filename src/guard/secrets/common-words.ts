/** Pieces that guessers try first: from published lists of the most used passwords, and what stands in examples. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `123 1234 12345 123456 1234567 12345678 123456789 1234567890 111111 000000 121212 123123 654321 666666 696969 987654321
  1q2w3e 1qaz2wsx abc abc123 abcd access account admin administrator adobe alexander amanda america andrea andrew angel
  anthony apple ashley asdf asdfgh asdfghjkl austin azerty baby bailey banana baseball batman beach bear beautiful
  blink buster butter butterfly buttons camaro carlos change changeit changeme charlie chelsea chicken chocolate client
  code computer cookie corvette daniel default demo dev diamond dog dolphin donald dragon dummy eagle email example
  family ferrari flower foo foobar football forever freedom friend friends fuck gandalf george ginger golden google guest
  hannah harley heather hello hockey home hottie hunter iloveyou internet invalid jackson jasmine jennifer jessica jesus
  john jordan joseph joshua justin key keyboard killer king kitty lady letmein liverpool local login london love lovely
  lovers maggie magic manager martin master matrix matthew mercedes merlin michael michelle mickey monkey monster morgan
  mother mustang my mynoob name nicholas nicole ninja nothing openpact orange owner pass passphrase passw0rd passwd
  password pepper phone please pokemon poohbear princess private production purple qazwsx qwe qwer qwert qwerty
  qwertyuiop rainbow ranger redsox robert root samantha samsung sample scooter secret secrets secure server service
  shadow sk-test snoopy soccer something sophie spiderman starwars staging steelers summer sunshine super superman system
  taylor temp tennis test tester testing thomas thunder tigger token trustno1 turtle unknown user username victoria
  wallpaper welcome whatever william winner winter work xxx yamaha yankees yellow zaq12wsx zxcvbn zxcvbnm
  2019 2020 2021 2022 2023 2024 2025 2026 2027 2028`
    .split(/\s+/)
    .filter((word) => word.length >= 3),
);
