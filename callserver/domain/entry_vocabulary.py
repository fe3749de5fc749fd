"""What recurs in the log's entries, with the codes of `compact_entries` in place of values.

Both are parts of the stored form: not a byte of them may change while a log is stored with them.
"""

VOCABULARY = (
    b',"answered":","applicant":","asked_on":","at_time":","backup_of":","before":","call_backs":'
    b'","case":","case_kind":","channel":","code":","connected":","contacts":","content":","count'
    b'":","counts":","days":","deadline":","decision":","department":","different":","elsewhere":'
    b'","entries":","fields":","form":","found":","gap_minutes":","heads":","heard":","holds_from'
    b'":","how":","imported":","interview":","is_mentor":","item":","kept":","key":","keys":","kn'
    b'own":","left":","leg":","lift":","line":","list":","listed":","listener":","listening":","l'
    b'ooked_for":","looser":","lost":","marks":","mentor":","message":","mode":","module":","ms":'
    b'","next_at":","notice":","opt_out":","other":","outside_hours":","owner":","owner_role":","'
    b'paths":","paused":","per_day":","phone":","phoner":","proof":","proposal":","proposed_by":"'
    b',"quarter":","reasons":","refused":","register":","ring_seconds":","role":","role_play":","'
    b'root":","rows":","scope":","sealed":","seat":","seat_department":","secret":","session":","'
    b'shifts":","shown":","since":","size":","source":","stopped":","suppressed":","suppression":'
    b'","suppressions":","tables":","telephone":","texts":","token":","took_place":","trouble":",'
    b'"undone":","up":","use":","user":","verdict":","wants":","what":","why":","wish":","wrong":'
    b'""kind":"configuration","kind":"imported","kind":"forgotten","kind":"retention","kind":"rem'
    b'oved","kind":"exported","kind":"refused","kind":"declined","kind":"number_released","kind":'
    b'"silent","kind":"stopped","kind":"apologised","kind":"settled","kind":"hand","kind":"shift_'
    b'ended","kind":"card","kind":"corrected","kind":"suppressed","kind":"lifted","kind":"lift_pr'
    b'oposed","kind":"lift_refused","kind":"case","kind":"message","kind":"register","kind":"regi'
    b'ster_decided","kind":"mark_ended","kind":"identity","kind":"call_back","kind":"notice","kin'
    b'd":"support","kind":"survey","kind":"inbound","kind":"breaker","kind":"clock","kind":"signa'
    b'ture_refused","kind":"pace","kind":"looked_up","kind":"listening_started","kind":"listening'
    b'_changed","kind":"listening_stopped","kind":"listen_denied","kind":"heard","kind":"no_liste'
    b'ner","kind":"form","kind":"log_searched","kind":"restored","kind":"reconciled","kind":"rewr'
    b'itten","kind":"verified","kind":"line","kind":"applicant","kind":"role_play_started","kind"'
    b':"role_play_ended","kind":"interview","kind":"user","kind":"signed_in","kind":"sign_in_refu'
    b'sed","kind":"sign_in_locked","kind":"signed_out","kind":"token"'
    b'{"agent":{"shift":\x01},"camp":{"answered":\x02},"cli":"+\n","country":"DK","dob":"\x04-'
    b'\x02-\x02","ext_checked_at":"\x1b","kind":"ordinary","now":"\x1b","num":"+\n","of_age":true'
    b',"policy":"dk","purpose":"RECRUIT","revision":"\xff","ring_seconds":\x02,"seg":"LEADS","sys'
    b'":{"calendar_until":\x04},"zones":["Europe/Copenhagen"]}'
    b'{"at":"\x1b","by":"invented","did":"credited","kind":"training","shifts":\x01,"user":\x02}'
    b'{"at":"\x1b","by":"user:\x02","document":"confidentiality","kind":"signed","user":\x02,"ver'
    b'sion":"\x10"}'
    b'{"at":"\x1b","call":"\x14","campaign":"opgradering","closes_at":"\x1b","commitment":"\xff",'
    b'"contact":\x06,"gap_minutes":\x03,"keys":["number:\xfe","person:\xfe","household:\xfe"],"ki'
    b'nd":"permitted","path":"list","per_day":\x01,"purpose":"UPGRADE","revision":"\xff","ring_se'
    b'conds":\x02,"seat":\x02}'
    b'{"at":"\x1b","call":"\x14","campaign":"lapsed","kind":"seat","reason":"","seat":\x02,"state'
    b'":"ringing"}'
    b'{"at":"\x1b","call":"\x14","campaign":"leads","closes_at":"\x1b","commitment":"\xff","conta'
    b'ct":\x06,"gap_minutes":\x03,"keys":["number:\xfe","person:\xfe","household:\xfe"],"kind":"p'
    b'ermitted","path":"list","per_day":\x01,"purpose":"RECRUIT","revision":"\xff","ring_seconds"'
    b':\x02,"seat":\x02}'
    b'{"agent":{"shift":\x01},"camp":{"answered":\x02},"cli":"+\n","country":"DK","dob":"\x04-'
    b'\x02-\x02","ext_checked_at":"\x1b","kind":"ordinary","now":"\x1b","num":"+\n","of_age":true'
    b',"policy":"dk","purpose":"REINSTATE","rel":{"ended":"\x04-\x02-\x02","last_gift":"\x04-\x02'
    b'-\x02","member":true},"revision":"\xff","ring_seconds":\x02,"seg":"AFMELDTE","sys":{"calend'
    b'ar_until":\x04},"zones":["Europe/Copenhagen"]}'
    b'{"at":"\x1b","call":"\x14","contact":\x06,"kind":"reported","report":"answered","state":"ta'
    b'lking"}'
    b'{"agent":{"shift":\x01},"camp":{"answered":\x02},"cli":"+\n","country":"DK","dob":"\x04-'
    b'\x02-\x02","ext_checked_at":"\x1b","kind":"ordinary","now":"\x1b","num":"+\n","of_age":true'
    b',"policy":"dk","purpose":"RECRUIT","revision":"\xff","ring_seconds":\x02,"seg":"KANVAS","sy'
    b's":{"calendar_until":\x04},"zones":["Europe/Copenhagen"]}'
    b'{"at":"\x1b","call":"\x14","campaign":"kanvas","kind":"seat","reason":"","seat":\x02,"state'
    b'":"reserved"}'
    b'{"agent":{"shift":\x01},"camp":{"answered":\x02},"cli":"+\n","country":"DK","dob":"\x04-'
    b'\x02-\x02","ext_checked_at":"\x1b","kind":"ordinary","now":"\x1b","num":"+\n","of_age":true'
    b',"policy":"dk","purpose":"UPGRADE","rel":{"ended":"\x04-\x02-\x02","last_gift":"\x04-\x02-'
    b'\x02","member":true},"revision":"\xff","ring_seconds":\x02,"seg":"OPGRADERING","sys":{"cale'
    b'ndar_until":\x04},"zones":["Europe/Copenhagen"]}'
    b'{"at":"\x1b","by":"user:\x02","call":"\x14","contact":\x06,"detail":"\xfe","kind":"marked",'
    b'"mark":"refused","rows":[[\x03,"person:\xfe"]]}'
    b'{"at":"\x1b","campaign":"opgradering","kind":"seat","reason":"","seat":\x02,"state":"waitin'
    b'g"}'
    b'{"at":"\x1b","call":"\x14","cause":"completed","code":\x03,"contact":\x06,"kind":"reported"'
    b',"report":"hung_up","state":"ended"}'
    b'{"at":"\x1b","before":null,"call":"\x14","contact":\x06,"does":"refused","kind":"outcome","'
    b'outcome":"no_thanks"}'
    b'{"at":"\x1b","call":"\x14","contact":\x06,"kind":"reported","report":"rang","state":"ringin'
    b'g"}'
    b'{"at":"\x1b","call":"\x14","cause":"no_answer","code":\x03,"contact":\x06,"kind":"reported"'
    b',"report":"not_answered","state":"ended"}'
    b'{"at":"\x1b","call":"\x14","campaign":"afmeldte","closes_at":"\x1b","commitment":"\xff","co'
    b'ntact":\x06,"gap_minutes":\x03,"keys":["number:\xfe","person:\xfe","household:\xfe"],"kind"'
    b':"permitted","path":"list","per_day":\x01,"purpose":"REINSTATE","revision":"\xff","ring_sec'
    b'onds":\x02,"seat":\x02}'
    b'{"agent":{"shift":\x01},"camp":{"answered":\x02},"cli":"+\n","country":"DK","dob":"\x04-'
    b'\x02-\x02","ext_checked_at":"\x1b","kind":"ordinary","now":"\x1b","num":"+\n","of_age":true'
    b',"policy":"dk","purpose":"REINSTATE","rel":{"ended":"\x04-\x02-\x02","last_gift":"\x04-\x02'
    b'-\x02","member":true},"revision":"\xff","ring_seconds":\x02,"seg":"LAPSED","sys":{"calendar'
    b'_until":\x04},"zones":["Europe/Copenhagen"]}'
    b'{"at":"\x1b","call":"\x14","contact":\x06,"kind":"placed","ordered_at":"\x1b","report":"tak'
    b'en","state":"dialing"}'
)

_OF_EVERY_CALL = (
    b'"contact":\x06,"kind":"placed","ordered_at":"\x1b","report":"taken","state":"dialing"}',
    b'"contact":\x06,"kind":"reported","report":"rang","state":"ringing"}',
    b'"contact":\x06,"kind":"reported","report":"answered","state":"talking"}',
    (
        b'"cause":"completed","code":\x03,"contact":\x06,"kind":"reported","report":"hung_up",'
        b'"state":"ended"}'
    ),
    (
        b'"cause":"no_answer","code":\x03,"contact":\x06,"kind":"reported","report":"not_answered",'
        b'"state":"ended"}'
    ),
    b'"cause":"busy","code":\x03,"contact":\x06,"kind":"reported","report":"busy","state":"ended"}',
    (
        b'"cause":"unreachable","code":\x03,"contact":\x06,"kind":"reported","report":"failed",'
        b'"state":"ended"}'
    ),
)
COMMON = tuple(
    b'{"at":"\x1b","call":"\x14",' + shape.replace(b'"contact":\x06', b'"contact":%c' % digits)
    for shape in _OF_EVERY_CALL
    for digits in range(1, 9)
)
"""Whole shapes that are stored as their number: contacts' ids of one to eight digits."""
