/**
 * The same as in wordings.ts, in the languages of providers that do not keep to English. Stems, since words bend; where an
 * accent is often left out, either. What is not known here is a refusal like any other, and its words are shown.
 */
import type { Sign, Wording } from './wordings.ts';

/** German, French, Italian, Spanish and Portuguese, Polish, Russian, Chinese, Japanese. */
const ELSEWHERE: readonly (readonly [Sign, RegExp])[] = [
  [
    'credentials',
    /(?:passwort|kennwort|benutzername|zugangsdaten|anmeldedaten).{0,40}(?:falsch|ung(?:ü|ue)ltig|nicht korrekt)|(?:falsche|ung(?:ü|ue)ltige)\S* (?:passwort|kennwort|benutzer|zugangs)/,
  ],
  [
    'credentials',
    /(?:mot de passe|identifiants?|utilisateur).{0,40}(?:incorrect|invalide|erron|inconnu|non valide)/,
  ],
  ['credentials', /(?:password|utente|credenziali).{0,40}(?:errat|non valid|sbagliat|non corrett)/],
  ['credentials', /(?:contrase[ñn]a|usu[aá]rio|clave|senha).{0,40}(?:incorrect|inv[aá]lid|err[oó]n|errad)/],
  [
    'credentials',
    /(?:has[łl]o|login).{0,40}(?:niepoprawn|nieprawid[łl]ow|b[łl][ęe]dn)|(?:niepoprawn|nieprawid[łl]ow|b[łl][ęe]dn)\S*.{0,20}(?:has[łl]o|login|dane)/,
  ],
  [
    'credentials',
    /(?:логин|парол|имя пользователя).{0,40}(?:невер|неправильн|не совпада)|(?:невер|неправильн)\S*.{0,20}(?:логин|парол|имя)/,
  ],
  [
    'credentials',
    /(?:密[码碼]|[帐账帳][号號]|用[户戶]名).{0,10}(?:错误|錯誤|不正确|不正確|有误|不存在)|(?:パスワード|ユーザー?名|ユーザー?id).{0,15}(?:間違|正しく|誤|違い|一致し)|認証に失敗/,
  ],
  [
    'in use',
    /postfach.{0,30}(?:in benutzung|belegt|bereits ge(?:ö|oe)ffnet)|d[ée]j[àa] (?:connect|ouvert)|gi[àa] (?:in uso|conness|apert)|уже (?:открыт|использ)|已(?:登录|被锁定使用)/,
  ],
  [
    'throttled',
    /zu (?:viele|h(?:ä|ae)ufig|oft)\b.{0,30}(?:anmeld|login|verbindung|abruf|versuch|zugriff)|(?:nur )?alle \d{1,4} minuten/,
  ],
  [
    'throttled',
    /trop de (?:connexion|tentative|session|requ)|tropp[ie] (?:access|tentativ|conness|richiest)|demasiad[ao]s (?:conexion|intent|sesion)|muitas (?:conex|tentativ)|zbyt (?:wiele|cz[ęe]st|du[żz]o)/,
  ],
  [
    'throttled',
    /слишком (?:много|часто)|превышен\S* .{0,30}(?:лимит|числ|количеств)|(?:登[录陆錄入]|连接|請求|请求|操作|访问).{0,8}(?:频繁|頻繁|过多|频率|次数)|(?:接続|ログイン|アクセス).{0,12}(?:多すぎ|制限|上限|超え|頻繁)/,
  ],
  [
    'temporary',
    /sp(?:ä|ae)ter.{0,20}(?:versuch|probier|erneut)|(?:versuch|probier)\S*.{0,30}sp(?:ä|ae)ter|wartungsarbeit|vor(?:ü|ue)bergehend|(?:ü|ue)berlastet|nicht (?:erreichbar|verf(?:ü|ue)gbar)/,
  ],
  [
    'temporary',
    /r[ée]essay|ult[ée]rieurement|temporairement|indisponible|riprova|manutenzione|temporaneamente|non disponibile|m[aá]s tarde|mais tarde|mantenimiento|manuten[cç]|no disponible|indispon[ií]vel/,
  ],
  [
    'temporary',
    /spr[óo]buj.{0,20}(?:p[óo][źz]niej|ponownie)|przerwa techniczna|chwilowo|tymczasowo|niedost[ęe]pn|(?:попробуйте|повторите).{0,30}(?:позже|позднее)|временно|технические работы|недоступ/,
  ],
  [
    'temporary',
    /系[统統](?:繁忙|忙|维护|維護)|稍[后後]再?[试試重]|(?:しばらく|後ほど|後で|時間をおいて).{0,20}(?:試し|再度|実行)|メンテナンス|一時的/,
  ],
  [
    'switched off',
    /\bpop3?\b.{0,40}(?:nicht (?:aktiviert|freigeschaltet|erlaubt)|deaktiviert|ausgeschaltet|aktivieren|freischalten)|\bpop3?\b.{0,40}(?:d[ée]sactiv|non activ|pas activ|non autoris)|(?:activez|aktivieren|freischalten).{0,30}\bpop/,
  ],
  [
    'switched off',
    /\bpop3?\b.{0,40}(?:non (?:abilitat|consentit|attiv|autorizzat)|disabilitat|disattivat)|\bpop3?\b.{0,40}(?:desactivad|deshabilitad|no (?:est[aá] )?(?:habilitad|activad)|desativad|desabilitad|n[aã]o (?:est[aá] )?habilitad)/,
  ],
  [
    'switched off',
    /\bpop3?\b.{0,40}(?:wy[łl][ąa]czon|zablokowan|nieaktywn)|(?:w[łl][ąa]cz|odblokuj|aktywuj).{0,40}\bpop|pop3?.{0,40}(?:отключ|выключ|запрещ|не (?:включ|разреш))|включите.{0,40}pop/,
  ],
  [
    'switched off',
    /(?:pop3?|服务|服務).{0,12}(?:未开启|未开通|没有开启|已关闭|未启用|未開啟)|(?:开启|开通|開啟).{0,8}pop|pop3?.{0,20}(?:無効|利用でき|許可され|使用でき)/,
  ],
  [
    'app password',
    /app-?passwort|passwort f(?:ü|ue)r e-?mail-?programme|mot de passe d.application|password (?:specifica )?per (?:le )?app|contrase[ñn]a de aplicaci|senha de ap|has[łl]o (?:do )?aplikacji/,
  ],
  [
    'app password',
    /парол.{0,20}приложени|授[权權][码碼]|专用密码|アプリ(?:ケーション)?(?:用)?パスワード|専用パスワード/,
  ],
  [
    'password expired',
    /(?:passwort|kennwort).{0,20}abgelaufen|mot de passe.{0,20}expir|password.{0,20}scadut|(?:contrase[ñn]a|senha).{0,20}(?:caducad|expirad|vencid)|has[łl]o.{0,20}wygas/,
  ],
  [
    'password expired',
    /срок действия пароля|пароль.{0,20}ист[её]к|密码.{0,6}过期|パスワード.{0,12}(?:有効期限|期限切れ)/,
  ],
  [
    'shut out',
    /(?:konto|postfach|zugang).{0,40}(?:gesperrt|blockiert|deaktiviert)|compte.{0,40}(?:bloqu|verrouill|suspendu|d[ée]sactiv)|(?:account|casella|utente).{0,40}(?:bloccat|sospes|disabilitat)/,
  ],
  [
    'shut out',
    /(?:cuenta|conta)\b.{0,40}(?:bloquead|suspen|desactivad|deshabilitad)|(?:konto|skrzynka).{0,40}(?:zablokowan|zawieszon)|(?:аккаунт|уч[её]тн|ящик).{0,40}(?:заблокирован|приостановлен|удал[её]н)/,
  ],
  [
    'shut out',
    /(?:[帐账帳][号號户]|邮箱|ip).{0,10}(?:异常|異常|锁定|鎖定|冻结|封禁|停用|禁用)|アカウント.{0,15}(?:ロック|凍結|停止)/,
  ],
];

export const WORDINGS_ELSEWHERE: readonly Wording[] = ELSEWHERE.map(([sign, says]) => ({ sign, says }));
