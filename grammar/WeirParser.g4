// The sentences of Weir. docs/grammar.md explains the language; this file and WeirLexer.g4 are its
// only definition.
//
// The parser reads one declaration at a time (compiler/parse/layout.cc cuts the file), with
// brackets already paired. Rules whose items may each be broken without harm to their neighbours —
// block, recordLit and the ...Body rules — have the form `{ item? (sep item?)* }`, which
// compiler/parse/recovery.cc relies on: it reports, skips to the next separator, and goes on.
parser grammar WeirParser;
options { tokenVocab = WeirLexer; }

chunk: decl EOF;

decl
  : PIPELINE name VERSION INT block?                                             #PipelineDecl
  | IMPORT string (AS name)?                                                     #ImportDecl
  | PARAM name COLON typeRef (ASSIGN expr)?                                      #ParamDecl
  | SECRET name COLON typeRef                                                    #SecretDecl
  | CONNECTION name ASSIGN name block?                                           #ConnectionDecl
  | ENUM name enumBody                                                           #EnumDecl
  | RECORD name recordBody                                                       #RecordDecl
  | DEADLETTER name                                                              #DeadletterDecl
  | SOURCE name COLON typeRef ASSIGN expr block?                                 #SourceDecl
  | TABLE name (COLON typeRef)? ASSIGN expr block?                               #TableDecl
  | (LOOKUP | CALL) name params ARROW typeRef ASSIGN expr (ELSE expr)* block?    #LookupDecl
  | EXTERN (LOOKUP | CALL) name params ARROW typeRef FROM string block?          #ExternLookupDecl
  | EXTERN FN name params ARROW typeRef FROM string                              #ExternFnDecl
  | FN name params ARROW typeRef (ASSIGN expr | fnBody)                          #FnDecl
  | AGGREGATE name params ARROW typeRef WITH name COLON typeRef block            #AggregateFnDecl
  | SERVICE name VERSION INT ASSIGN expr block                                   #ServiceDecl
  | STREAM name block? ASSIGN streamRef (BAR step)*                              #StreamDecl
  | SINK name FROM streamRef ASSIGN expr block?                                  #SinkDecl
  | TEST string testBody                                                         #TestDecl
  ;

sep: COMMA | NL;

enumBody: LBRACE enumMember? (sep enumMember?)* RBRACE;
enumMember: name (FROM string)?;

recordBody: LBRACE field? (sep field?)* RBRACE;
field: name COLON typeRef (KIN expr)? (FROM string)? (ASSIGN expr)?;

params: LPAR (param (COMMA param)* COMMA?)? RPAR;
param: name COLON typeRef;
typeRef: name (LPAR INT (COMMA INT)* COMMA? RPAR | LT typeRef (COMMA typeRef)* GT)? QM?;
fnBody: LBRACE (local sep)* RETURN expr sep? RBRACE;
local: LET name ASSIGN expr;
streamRef: name (DOT name)?;

// --- steps of a stream

step
  : WHERE expr                                                                   #WhereStep
  | SELECT recordLit (WITH TIME expr)?                                           #SelectStep
  | LET name ASSIGN expr                                                         #LetStep
  | UNION (streamRef | LPAR streamRef (COMMA streamRef)* COMMA? RPAR)            #UnionStep
  | SPLIT recordLit                                                              #SplitStep
  | FLATTEN expr AS name block?                                                  #FlattenStep
  | (ASOF | OUTER)? JOIN streamRef (AS name)? ON expr (WITHIN expr)? block?      #JoinStep
  | WINDOW JOIN streamRef AS name ON expr WITHIN expr recordLit                  #WindowJoinStep
  | (LOOKUP | CALL) name args (AS OUTCOME? name)? block?                         #LookupStep
  | WINDOW name args? size? (EVERY size)? (BY expr)? block?                      #WindowStep
  | AGGREGATE recordLit                                                          #AggregateStep
  | DEDUP BY expr (WITHIN expr)? block?                                          #DedupStep
  | REKEY BY expr                                                                #RekeyStep
  ;
size: INT | DURATION | name;

// --- blocks: entries and clauses behind a declaration or a step. An entry's further words (`100
// within 2ms`) are plain names that the checker judges, so that policies need no grammar. A name
// followed by `:` is always an entry.

block: LBRACE item? (sep item?)* RBRACE;
item
  : ON event (OR event)* action                                                  #OnItem
  | ORDER (INPUT | NONE | KEY expr)                                              #OrderItem
  | EMIT (FINAL | ON CHANGE | EVERY expr)                                        #EmitItem
  | ANSWER name params ARROW typeRef ASSIGN expr (ELSE expr)* block?             #AnswerItem
  | name COLON expr phrase*                                                      #EntryItem
  | name                                                                         #FlagItem
  ;
event: name;
action: USE expr | SEND name | DROP | STOP;
phrase: word expr;

// --- tests

testBody: LBRACE testItem? (sep testItem?)* RBRACE;
testItem
  : name LT MINUS expr                                                           #FeedItem
  | name args ANSWERS expr (AFTER expr)?                                         #StubItem
  | WAIT expr                                                                    #WaitItem
  | EXPECT streamRef (CONTAINS | EXACTLY) expr                                   #ExpectItem
  ;

// --- expressions. `try` and `if` are lowest and both need `else`; the alternatives of `binary` are
// in order of precedence, the tightest first. Chains such as a < b < c and 1..2..3 are refused when
// the Ast is built.

expr
  : TRY expr ELSE expr                                                           #TryExpr
  | IF expr THEN expr ELSE expr                                                  #IfExpr
  | binary                                                                       #PlainExpr
  ;
binary
  : binary (DOT | QDOT) name                                                     #FieldExpr
  | binary args                                                                  #CallExpr
  | binary LBRK expr RBRK                                                        #IndexExpr
  | MINUS binary                                                                 #NegateExpr
  | binary (STAR | SLASH | PCT) binary                                           #OperatorExpr
  | binary (PLUS | MINUS) binary                                                 #OperatorExpr
  | binary DOTDOT binary                                                         #OperatorExpr
  | <assoc=right> binary QQ binary                                               #OperatorExpr
  | binary (EQ | NE | LT | LE | GT | GE | NOT? KIN) binary                       #OperatorExpr
  | NOT binary                                                                   #NotExpr
  | binary AND binary                                                            #OperatorExpr
  | binary OR binary                                                             #OperatorExpr
  | primary                                                                      #PrimaryExpr
  ;
primary
  : name                                                                         #NamePrimary
  | UNDERSCORE                                                                   #UnderscorePrimary
  | (KTRUE | KFALSE | KNULL | INT | DEC | DURATION | TIMESTAMP | DATE)           #LiteralPrimary
  | string                                                                       #StringPrimary
  | LPAR expr (COMMA expr)* COMMA? RPAR                                          #TuplePrimary
  | LBRK (expr (COMMA expr)* COMMA?)? RBRK                                       #ListPrimary
  | recordLit                                                                    #RecordPrimary
  | MATCH expr matchBody                                                         #MatchPrimary
  ;
args: LPAR (arg (COMMA arg)* COMMA?)? RPAR;
arg: (name COLON)? expr;

recordLit: LBRACE pair? (sep pair?)* RBRACE;
pair: name (COLON expr)? | string COLON expr;

matchBody: LBRACE arm? (sep arm?)* RBRACE;
arm: pattern (OR pattern)* (IF expr)? ARROW expr;
pattern
  : UNDERSCORE                                                                   #WildcardPattern
  | (KNULL | KTRUE | KFALSE)                                                     #ConstantPattern
  | literal (DOTDOT literal)?                                                    #LiteralPattern
  | name name?                                                                   #NamePattern
  | name DOT name                                                                #QualifiedPattern
  | LPAR pattern (COMMA pattern)* COMMA? RPAR                                    #TuplePattern
  ;
literal: MINUS? (INT | DEC | DURATION) | string | TIMESTAMP | DATE;

string: (QUOTE | TQUOTE) (TEXT | IOPEN expr RBRACE)* UNQUOTE;

// --- names: any word that is not reserved. `in` is no phrase word: `5 in 6` is an expression.

name: word | KIN;
word
  : NAME | QNAME
  | PIPELINE | VERSION | PARAM | SECRET | CONNECTION | ENUM | RECORD | DEADLETTER | SOURCE | TABLE
  | LOOKUP | CALL | STREAM | SINK | TEST | FN | EXTERN | IMPORT | SERVICE | ANSWER | AGGREGATE
  | RETURN
  | WHERE | SELECT | LET | UNION | SPLIT | FLATTEN | JOIN | ASOF | OUTER | WINDOW | DEDUP | REKEY
  | ON | ORDER | EMIT | INPUT | NONE | KEY | FINAL | CHANGE | EVERY
  | USE | SEND | DROP | STOP | OUTCOME | FROM | AS | BY | WITHIN | WITH | TIME
  | ANSWERS | AFTER | EXPECT | CONTAINS | EXACTLY | WAIT
  ;
