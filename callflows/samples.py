"""A value for each variable of the shipped flows: what a prompt sounds like, and what a trial call says."""

from __future__ import annotations

# Sentences are rendered around them; the demo's committee is in the pack itself. The name begins with a stop, so that
# there is a silence between 您是 and it, in which to cut.
SAMPLES = {
    "name": "张阿婆",
    "committee": "槐荫里居委会",
    "responder": "李阿姨",
    "why": "三次没接电话",
    "what": "电话线路断了,今天的电话打不出去。请打印名单,用别的电话联系老人",
    "where": "三号楼五零二室",
    "there": "李阿姨",
    "there_number": "幺三八,零零零零,幺二三四",
    "key_holder": "隔壁陈阿姨",
    "notes": "耳朵不好",
    "cause": "收到您家的报警。",
    "state": "还没联系的",
    "promise": "明天上午九点前",
    "complaint": "楼道里的灯坏了。",
    "until": "十二月三号",
    "number": "一零零七",
    "heard_by": "今天下午四点前",
    "reply": "灯已经换好了。",
    "reply_audio": "灯已经换好了。",
    "answer_by": "星期五下午五点前",
    "notice": "今天下午活动室量血压。",
    "notice_audio": "今天下午活动室量血压。",
    "title": "电梯",
    "place": "一共两件,第一件。",
    "question": "要不要装电梯?",
    "options": "赞成,请按1;反对,请按2。",
    "before": "反对",
    "chosen": "赞成",
    "fact": "您的住址,登记的是三号楼五零二室。",
    "correction": "五号楼三零一室。",
    "tally": "赞成,一百零二;反对,三。",
    "sentence": "今天身体好吗?",
    "present": "今天身体好吗?",
    "take": "今天身体好吗?",
}
