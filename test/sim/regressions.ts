/**
 * Seeds that once broke a promise, and what they found. Where the simulation learned to draw more since, the older
 * ones play other histories than those that broke then, and are here as seeds like any others.
 */
export interface Regression {
  readonly seed: number;
  readonly found: string;
}

export const REGRESSIONS: readonly Regression[] = [
  {
    seed: 18,
    found: 'Twins were retrieved at each poll, for ever, where TOP shows other headers than RETR.',
  },
  {
    seed: 34,
    found: 'A server that cannot vouch for what it sends had all its mail set aside, message by message.',
  },
  { seed: 84, found: 'A twin whose announcing ends the process took its innocent brother with it.' },
  { seed: 122, found: 'Intents of mail that is set aside piled up until no new mail could be begun.' },
  { seed: 293, found: 'The same twin, where TOP tells nothing of whose object it is.' },
  { seed: 421, found: 'With a whole and a short record under one UIDL and size, RETR at each poll.' },
  { seed: 692, found: 'A twin’s remembered content key led its brother to a second object of one content.' },
  { seed: 695, found: 'An attempt was counted though another run had begun with the message meanwhile.' },
  {
    seed: 1257,
    found: 'Deletes rested on a store that lets Complete overwrite what they rested on.',
  },
  { seed: 1593, found: 'An attempt alone announced with a summary, which was what ended it, for ever.' },
  { seed: 1763, found: 'The same twin, where there is no TOP, and only its size tells whose object it is.' },
  {
    seed: 1921,
    found:
      'Of twins that nothing tells apart, one’s success forgot how often the other had ended the process.',
  },
  { seed: 2384, found: 'A failure at RETR was taken for one at TOP, so that twins were set aside together.' },
  { seed: 2984, found: 'Proofs by RETR came before new mail on a server that ignores DELE.' },
  {
    seed: 5599,
    found:
      'Of twins that nothing tells apart, one’s success let the other break each session before the rest was reached.',
  },
  { seed: 5824, found: 'A RETR that only asked whether the server delivers was followed by QUIT.' },
  { seed: 9605, found: 'Twins whose TOP ends the session failed at each run and were never set aside.' },
  {
    seed: 41562,
    found:
      'The same twin, where LIST does not tell the true size, and only its header tells whose object it is.',
  },
  {
    seed: 18698,
    found:
      'A twin on record was tried alone each time that it had been proved, since its brother’s event is refused.',
  },
  {
    seed: 19995,
    found: 'A consumer removed the object, another mail took over the UIDL: RETR at each poll, for ever.',
  },
  {
    seed: 6116,
    found:
      'One accident at TOP made a message one with its twin for ever, whose announcing ends the process.',
  },
  { seed: 44720, found: 'The same, where it is the twin’s RETR that ends the process.' },
  {
    seed: 19303,
    found:
      'A run that LOGIN-DELAY kept from deleting the rest was taken for one with nothing to do, since a consumer had removed an object.',
  },
  {
    seed: 72718,
    found:
      'Mail that the server refuses kept a twin with the very same header from being retrieved, and was never set aside.',
  },
  { seed: 77833, found: 'The same, where there is no TOP.' },
  { seed: 82896, found: 'The same, where the line broke at TOP.' },
  { seed: 89962, found: 'The same, with other mail of the UIDL.' },
  {
    seed: 87428,
    found: 'Where TOP shows other headers than RETR, a message was taken for set aside when its twin was.',
  },
  {
    seed: 68170,
    found: 'What an attempt had left in the store was never announced once nothing vouched for the server.',
  },
  {
    seed: 80189,
    found:
      'Mail without a size, which nothing vouched for once the rest was deleted, took those deletes with it.',
  },
  {
    seed: 76257,
    found:
      'With one record of a UIDL at hand and another in a segment, the other’s mail was announced at each poll.',
  },
  {
    seed: 68222,
    found:
      'A message that the server refuses was missed, though its twin with the very same bytes had arrived.',
  },
  {
    seed: 78120,
    found:
      'Bytes behind LIST that nobody asked for were not seen to befall the message that was asked for next.',
  },
  {
    seed: 109699,
    found: 'Of twins of one size whose TOP shows other headers, one was blamed for what the other had left.',
  },
  {
    seed: 3712,
    found:
      'What ends each process that announces it was always the first of several, and the others were never announced.',
  },
  {
    seed: 22814,
    found:
      'A run whose second sign-in was refused was taken for one with nothing to do, since the store had overwritten an object.',
  },
  {
    seed: 25439,
    found:
      'A message that a twin had joined was taken for set aside by the name that its UIDL had before, and so for decided.',
  },
  { seed: 33495, found: 'The same, by a failure of another size.' },
  {
    seed: 36993,
    found: 'A message was blamed for bytes that lay in the line before anything of it was asked for.',
  },
  {
    seed: 90155,
    found:
      'Whether the server delivers was asked of the smallest message on record alone, which was set aside for being refused itself.',
  },
  { seed: 93014, found: 'The same, where there is no TOP.' },
  {
    seed: 2001,
    found: 'Where nothing vouched for the server, what no twin’s turn came for was never announced.',
  },
  {
    seed: 30707,
    found:
      'Where commands came together a server lost dots, LIST agreed with what was left, and it was stored.',
  },
  {
    seed: 4428,
    found:
      'A server whose CAPA had just been lost and whose UIDL was refused once was taken for one without UIDL.',
  },
  {
    seed: 3511,
    found:
      'UIDL of one message, answered wrongly once, was asked no more, though the server had nothing else.',
  },
  {
    seed: 20820,
    found:
      'A start was decided by an answer to UIDL that had nothing in it: what was there would have been new later.',
  },
  { seed: 20382, found: 'Nobody was told of mail over the size limit that shares a UIDL with other mail.' },
  { seed: 101755, found: 'Deletes that the server ignores were asked for at each run, for ever.' },
  {
    seed: 409230,
    found: 'A process that died before its commit forgot that dots were missing, and the mail was deleted.',
  },
  {
    seed: 413882,
    found:
      'An empty answer to UIDL made all mail count as mail without UIDL, which is stored under other keys.',
  },
  {
    seed: 506866,
    found: 'Intents of mail that had vanished, given new UIDLs again and again, left no room for new mail.',
  },
  { seed: 509191, found: 'A clock that jumped hid that the server ignores deletes.' },
  {
    seed: 512028,
    found: 'Headers were asked of a twin that the session had deleted, which counted against its brother.',
  },
  { seed: 516721, found: 'One mail that lost dots kept its twins, which had not, from being deleted.' },
  {
    seed: 611317,
    found: 'Runs that LOGIN-DELAY ended at their second sign-in never saw that the server ignores deletes.',
  },
  {
    seed: 629517,
    found: 'A first run to which UIDL was answered empty took all mail for mail without UIDL.',
  },
  {
    seed: 696231,
    found: 'A twin’s object, whose event is refused, kept its brother from being retrieved, for ever.',
  },
  {
    seed: 14162,
    found: 'By a clock that was days behind, a segment that was about to be named was too old to be named.',
  },
  {
    seed: 104340,
    found: 'Where UIDL n and LIST n were both refused, an answer that was out of step was stored as mail.',
  },
  {
    seed: 127363,
    found: 'Each look at what a vanished message had left added an intent, until no new mail could be begun.',
  },
  {
    seed: 209189,
    found: 'Mail over the size limit was retrieved at each poll, to prove a delete that it did not prove.',
  },
  { seed: 319051, found: 'The same, where only the bytes that had come told that it is over the limit.' },
  {
    seed: 40001,
    found: 'A message that had inherited the UIDL of one that cannot be announced was set aside with it.',
  },
  {
    seed: 63451,
    found: 'On a store without conditions, mails of one UIDL put themselves in each other’s place.',
  },
  {
    seed: 90476,
    found: 'Runs that failed before they listed anything were taken for runs with nothing to do.',
  },
  { seed: 252509, found: 'The same, before anybody was told of mail over the size limit.' },
  { seed: 415795, found: 'The same.' },
  {
    seed: 441598,
    found: 'A start that leaves some of several alike alone was thought to tell which of them.',
  },
  {
    seed: 789019,
    found:
      'With two lines that nobody had asked for, the status of RETR was stored as the beginning of its mail.',
  },
  {
    seed: 493996,
    found:
      'A run that had listed before the server gave new UIDLs was blamed for knowing a later run’s object by its content.',
  },
  {
    seed: 499175,
    found: 'What a message left that cannot be announced has the length that LIST tells of its twin.',
  },
  { seed: 868388, found: 'The same, before the twin was deleted.' },
  {
    seed: 561271,
    found: 'On a store without conditions, whose object is there changes with each attempt.',
  },
  {
    seed: 584497,
    found: 'With one attempt, what a slow retry leaves is announced by the next slow retry only.',
  },
  { seed: 909125, found: 'The same, where a twin ends the first of them.' },
  { seed: 491616, found: 'Runs that had something to do for ever, as in those above.' },
  { seed: 503644, found: 'As 493996.' },
  { seed: 554516, found: 'As 90476.' },
  { seed: 591876, found: 'Runs that had something to do for ever, as in those above.' },
  { seed: 596868, found: 'As 90476.' },
  { seed: 606218, found: 'As 90476.' },
  { seed: 619526, found: 'As 90476.' },
  { seed: 667331, found: 'As 252509.' },
  { seed: 671455, found: 'As 252509.' },
  { seed: 705928, found: 'As 90476.' },
  { seed: 747106, found: 'Runs that had something to do for ever, as in those above.' },
  { seed: 773074, found: 'As 561271.' },
  { seed: 787174, found: 'Runs that had something to do for ever, as in those above.' },
  { seed: 851555, found: 'As 561271.' },
  { seed: 931280, found: 'As 561271.' },
  { seed: 941349, found: 'Runs that had something to do for ever, as in those above.' },
  { seed: 952075, found: 'As 90476.' },
  { seed: 958427, found: 'Runs that had something to do for ever, as in those above.' },
  { seed: 977183, found: 'As 40001.' },
  { seed: 986655, found: 'Runs that had something to do for ever, as in those above.' },
  {
    seed: 5001421,
    found:
      'Mail with a new UIDL whose object a consumer had removed was not put on record where it was tried alone.',
  },
  {
    seed: 983,
    found:
      'Where UIDLs are message numbers, mail that cut itself guessed the fence, and was stored without its rest.',
  },
  {
    seed: 461,
    found:
      'Deletes behind a QUIT that is always answered -ERR, and never done, were asked for at each run, for ever.',
  },
  {
    seed: 4895,
    found: 'A mail whose TOP ends the session took the deletes of mail without UIDL with it, day by day.',
  },
  {
    seed: 161,
    found:
      'Numbers that had moved were believed by the next run, though one message was set aside: it passed for the mail before it.',
  },
  { seed: 3063, found: 'The same, with several.' },
  {
    seed: 2875,
    found:
      'What an attempt had left without UIDL was never announced, where LIST had told another size of it.',
  },
  {
    seed: 22742,
    found: 'Mail without UIDL was retrieved at each poll, since another of its size and header was gone.',
  },
  {
    seed: 23650,
    found:
      'A message that its session had deleted was told as not reached, since two of its number and size are on record.',
  },
  {
    seed: 8157,
    found:
      'Deletes that are ignored came first in each run, whose second sign-in was always refused: what is tried alone had no turn.',
  },
  {
    seed: 46178,
    found:
      'Mail without UIDL of the size of mail on record was retrieved without a limit, and stored though it is over it.',
  },
  {
    seed: 48651,
    found:
      'What was left without UIDL was announced, and not known by it where TOP shows other headers: it was announced again, for ever.',
  },
  {
    seed: 13264,
    found:
      'A server that always does but part of an UPDATE did none of it thrice, and was thought to ignore deletes.',
  },
  {
    seed: 14308,
    found:
      'What ends each process, and moves from number to number, was thought to need no more runs than one that stays.',
  },
  {
    seed: 41007,
    found:
      'Mail that moves from number to number, and has no trace, waits for its day to be deleted at each of them.',
  },
  {
    seed: 53334,
    found:
      'What a message left under its number that cannot be announced ends whoever tries the next one there, of whatever size.',
  },
  {
    seed: 12997,
    found:
      'What is set aside has its days, and mail without UIDL others: played on the same ones, neither ever came through.',
  },
];
