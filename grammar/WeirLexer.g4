// The words and signs of Weir. docs/grammar.md explains the language; this file and WeirParser.g4
// are its only definition.
//
// The lexer sees bytes: any byte of a character outside ASCII arrives as 0x7F, which no rule names,
// so it is fine in strings, comments and backticks and a BAD token elsewhere.
// compiler/parse/lexer.cc feeds it; compiler/parse/layout.cc turns line ends into separators, pairs
// brackets and repairs what it reports (tokens under "habits" below never reach the parser).
lexer grammar WeirLexer;

// NL: a line end that separates. TEXT IOPEN UNQUOTE: the inside of a string, see the modes below.
tokens { NL, TEXT, IOPEN, UNQUOTE, UNTERMINATED }

// --- reserved words: names only in backticks
KTRUE: 'true'; KFALSE: 'false'; KNULL: 'null'; IF: 'if'; THEN: 'then'; ELSE: 'else'; MATCH: 'match';
TRY: 'try'; AND: 'and';
OR: 'or'; NOT: 'not';

// --- contextual words: also names everywhere; the parser's rule `name` lists them
PIPELINE: 'pipeline'; VERSION: 'version'; PARAM: 'param'; SECRET: 'secret';
CONNECTION: 'connection'; ENUM: 'enum';
RECORD: 'record'; DEADLETTER: 'deadletter'; SOURCE: 'source'; TABLE: 'table'; LOOKUP: 'lookup';
CALL: 'call';
STREAM: 'stream'; SINK: 'sink'; TEST: 'test'; FN: 'fn'; EXTERN: 'extern'; IMPORT: 'import';
SERVICE: 'service';
ANSWER: 'answer'; AGGREGATE: 'aggregate'; RETURN: 'return';
WHERE: 'where'; SELECT: 'select'; LET: 'let'; UNION: 'union'; SPLIT: 'split'; FLATTEN: 'flatten';
JOIN: 'join';
ASOF: 'asof'; OUTER: 'outer'; WINDOW: 'window'; DEDUP: 'dedup'; REKEY: 'rekey';
ON: 'on'; ORDER: 'order'; EMIT: 'emit'; INPUT: 'input'; NONE: 'none'; KEY: 'key'; FINAL: 'final';
CHANGE: 'change';
EVERY: 'every';
USE: 'use'; SEND: 'send'; DROP: 'drop'; STOP: 'stop'; OUTCOME: 'outcome';
FROM: 'from'; AS: 'as'; BY: 'by'; WITHIN: 'within'; WITH: 'with'; TIME: 'time'; KIN: 'in';
ANSWERS: 'answers'; AFTER: 'after'; EXPECT: 'expect'; CONTAINS: 'contains'; EXACTLY: 'exactly';
WAIT: 'wait';

// --- names and literals
UNDERSCORE: '_';
NAME: [a-zA-Z_] [a-zA-Z0-9_]*;
QNAME: '`' ~[`\r\n]+ '`';
TIMESTAMP: 't"' ~["\r\n]* '"';
DATE: 'd"' ~["\r\n]* '"';
INT: D;
DEC: D '.' D EXP? | D EXP;
DURATION: (D ('.' D)? UNIT)+;
// Whatever else starts with a digit, as long as it goes: 5x, 1_000_, 0xFF, 1.5kg.
BADNUM: [0-9] [a-zA-Z0-9_]* ('.' [0-9] [a-zA-Z0-9_]*)?;
fragment D: [0-9] ([0-9_]* [0-9])?;
fragment EXP: [eE] [+-]? [0-9]+;
fragment UNIT: 'ns' | 'us' | 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

TQUOTE: '"""' -> pushMode(TSTR);
QUOTE: '"' -> pushMode(STR);

// --- signs. `<-` is no token: x<-1 compares, and the parser joins `<` and `-` in a test's feed.
LBRACE: '{' -> pushMode(DEFAULT_MODE);
RBRACE: '}' -> popMode;
LPAR: '('; RPAR: ')'; LBRK: '['; RBRK: ']';
ARROW: '->'; QDOT: '?.'; QQ: '??'; QM: '?'; DOTDOT: '..'; DOT: '.'; COMMA: ','; COLON: ':';
EQ: '=='; NE: '!='; LE: '<='; GE: '>='; LT: '<'; GT: '>'; ASSIGN: '=';
PLUS: '+'; MINUS: '-'; STAR: '*'; SLASH: '/'; PCT: '%'; BAR: '|';

COMMENT: '//' ~[\r\n]* -> channel(HIDDEN);
LINE: '\r'? '\n' -> channel(HIDDEN);
WS: [ \t]+ -> skip;

// --- habits from other languages: seen here, explained and repaired before the parser
FOREIGN: '&&' | '||' | '===' | '!==' | '<>' | '!' | '?:' | '=>' | '...' | ':=' | '**' | '++' | '+='
       | '-=' | '*=' | '/=' | '::'
       | '&' | '^' | '~' | '$' | '@' | '\\';
SEMICOLON: ';';
FOREIGNCOMMENT: '#' ~[\r\n]* | '--' ~[\r\n]* | '/*' .*? '*/';
SQUOTED: '\'' ~['\r\n]* '\'';
BAD: .;

// --- inside "…": text, {expression}, escapes; `{{` is a brace. A line end closes what was
// forgotten.
mode STR;
STEXT: (~["\\{\r\n] | '\\' ~[\r\n] | '{{')+ -> type(TEXT);
SOPEN: '{' -> type(IOPEN), pushMode(DEFAULT_MODE);
SQUOTE: '"' -> type(UNQUOTE), popMode;
SBAD: [\r\n] -> type(UNTERMINATED), popMode;
SBACKSLASH: '\\' -> type(TEXT);

// --- inside """…""": the same over several lines; single quotes are text
mode TSTR;
TTEXT: (~["\\{] | '\\' . | '{{')+ -> type(TEXT);
TQUOTE1: '"' -> type(TEXT);
TOPEN: '{' -> type(IOPEN), pushMode(DEFAULT_MODE);
TUNQUOTE: '"""' -> type(UNQUOTE), popMode;
TBACKSLASH: '\\' -> type(TEXT);
