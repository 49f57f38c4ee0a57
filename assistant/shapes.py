"""Expressions that tell what a question on a directory tree asks for.

Those with an `@` read the folded question in which what it names, a path or a name, is written so; the others the question itself.
"""

from __future__ import annotations

import re

HOLDS = re.compile(
    r"what('s| is| are|s)?\s*(there|all|else|stored|kept|located)*\s*(in|inside|under|within|below|at)\s+(the |its |this )?@"
    r"|(what|which)( \S+){0,5}? (are|is|live|lives|sit|sits|stored|come|comes|have an?|have|has an?)( \S+){0,2}? (in|under|inside|below|within|of) (the )?@"
    r"|(what|which) [\w' -]{0,60}\b(do|does) (the )?@( \w+){0,3} (hold|contain|have|include)"
    r"|what (does|do) (the )?@( \w+){0,2} (hold|contain|have in|include)"
    r"|\b(list|show|name|enumerate)\b.{0,60}@|contents? of (the )?@|what (sits|lives|lies|goes) (in|under|inside) (the )?@"
    r"|(subdirectories|subfolders|directories|folders|packages|files) (of|in|under|inside) (the )?@"
    r"|@( \w+)? (contains?|holds?) what"
    r"|@.{0,8}(里面|里头|里边|里|底下|下面|下边|下|中|内|包含|包括).{0,24}(什么|哪些|啥|几个(子?目录|文件))|@.{0,6}(有|包含|包括|放|存放|分)(着|了|的)?(些)?(什么|哪些|哪几|啥)"
    r"|(what|which)( \S+){0,5}? (come|comes|ship|ships|left|available|included|bundled|implemented)( \S+){0,2}? (with|in|by|for|of) (the )?@"
    r"|(what|which) [\w' -]{0,60}@( \w+)? (covers?|holds?|contains?|has|implements?|ships?|includes?)\b"
    r"|@.{0,12}(管|实现|自带|支持|覆盖|处理|分成|提供).{0,8}(哪几|哪些|什么)|(哪些|哪几).{0,24}@|@.{0,12}那些"
    r"|(列出|列一下|列举|看看|看一下).{0,12}@|@.{0,4}的?(内容|子目录|结构)(有哪些|是什么)?"
)
COUNTS = re.compile(r"how many (sub)?(director|folder|file|package|entr)|(几|多少)个?(子?目录|文件夹|文件|包)")
EXISTS = re.compile(
    r"\b(is|are|was)( not)? there\b.*@|\b(does|do|did)\b.*@.*\b(still )?exists?\b|@.*\b(is|are) (it|they) (still )?(there|here|around)\b|\b(is|are)\b.{0,20}@.{0,30}\b(there|present|around|gone|missing|a real|part of|in (this|the) (tree|repo|version|checkout))"
    r"|@ (is|are) (not )?(still )?(there|present|part of|in (this|the))|\bdo(es)? .{0,40}\bhave\b.*@|\bstill\b.*@|@.*\bexists?\b|\bhas .{0,40}@.*\b(moved|removed|gone|deleted)\b|\b(was|were) .{0,20}@.*\b(removed|moved|deleted)\b"
    r"|(还有|有没有|有无|存不存在|是否有|是不是有|是否存在|有).{0,14}@.{0,12}(吗|么|没有|\?|$)|@.{0,14}(还有|有没有|有无|存不存在|存在|还在|在不在|有吗|在吗|没了|删了|移走|去哪)"
)
NAME = r"(?P<name>[a-z][\w.-]*[a-z0-9])"
WHAT_KIND = r"(?P<kind>( (admission|scheduler|scheduling|volume|storage|plugin|package|director(y|ie)|folder|driver|controller|binary|command|subdirector(y|ie)|code|source|file|type|manager)s?)*)"
STILL_IN = (
    rf"\b(is|are) (not )?(there )?(still )?(a |an |any |the )?{NAME}{WHAT_KIND}( still)?( there| present| left| kept)? (in|under|below|inside|beneath) (the )?@",
    rf"\b(do|does|did) (not )?(the )?@( still)? (have|hold|contain|include|ship)( a| an| any| the)? {NAME}{WHAT_KIND}",
    rf"{NAME}{WHAT_KIND} still [\w ]{{0,30}}(in|under|below|inside) (the )?@",
    rf"@\s*(里面|里|下面|下边|下|中|内)?(还|是否)?(有没有|有无|有|存不存在|留着|带有?|能找到|找得到)\s*{NAME}\s*(?P<kind>插件|目录|包|控制器|驱动|代码)?",
    rf"{NAME}[^@a-z]{{0,12}}@.{{0,10}}(还在|还有|还留|有没有|在不在|存不存在).{{0,10}}$",
)
"""Asks whether a bare name is in the directory that the question names."""
THE_TREE = r"(this|the|my) (checkout|tree|repo|repository|release|version|source)"
STILL_THERE = (
    rf"(这个版本|这棵树|代码树|源码树|仓库)[^a-z]{{0,6}}(还|是否)?(有没有|有无|有|存在|带)\s*{NAME}\s*(这个|那个)?(?P<kind>插件|目录|包|控制器|驱动|代码)?\s*(吗|么|没有)?[?]?$",
    rf"\b(do|does|has|have) (not )?{THE_TREE}( still)? (have|has|hold|contain|include|ship)( a| an| any| the)? {NAME}",
    rf"\b(is|are) (not )?(there )?(still )?(a |an |any |the )?{NAME}{WHAT_KIND}( still)?( there| present| left| kept)? (in|among|part of) ({THE_TREE}|(the )?in-tree)",
    rf"{NAME}\s*(的|插件|目录|包|控制器|驱动|代码|这个|那个)*[^a-z]{{0,20}}(还在不在|还在吗|在不在|还在么|删了吗|删了没)[?]?$",
)
"""Asks whether a bare name is in the tree."""
WHY = re.compile(r"\bwhy\b|为什么|为何|为啥")
ANY_CODE = re.compile(r"\b(code|director|folder|package|have (something|anything)|implement)|代码|目录|文件夹|实现|包")
KINDS = re.compile(r"\b(director(y|ies)|folders?|files?)\b|目录|文件")
MANY = re.compile(r"\b(what|which|list)\b|哪些|哪几|什么")
WHERE = re.compile(
    r"\bwhere(abouts)?\b|\b(which|what)( \S+){0,4} (directory|folder|path|package|dir)\b|\b(location|path) (of|to|for)\b|\bpoint me (to|at)\b"
    r"|\blooking for the\b|\b(find|locate) the\b.{0,60}\b(code|source|folder|directory|package)\b"
    r"|\b(dir|directory|folder|package|pkg|source path)\b\s*[?.!]*$|\bwhat(s| is)? the (dir|directory|path|package|folder|location)\b|\b(which|what) pkg\b"
    r"|(源码|代码|实现|目录|包)的?(位置|路径|目录)|哪一?(段|部分|块)代码|该?(去|看|改|动|找)哪|(动|改|看)(什么|哪些?)地方|哪(里|儿)(实现|改|看)"
    r"|在哪(?!个版本)|哪里|哪儿|(哪一?个|什么)(子?目录|文件夹|路径|包|位置|地方)|目录是哪|放哪|去哪|位于"
)
OWNS = re.compile(
    r"\bwho\b.{0,30}\b(owns?|maintains?|approves?|reviews?|looks? after|is responsible|is in charge|takes? care|can approve|can review|listed|are the (owners|approvers|reviewers|maintainers))"
    r"|\b(owners|approvers|reviewers|maintainers)\b|which sig\b|谁.{0,6}(负责|维护|审批|审核|评审|批准|管|拥有)|归谁|负责人|维护者|审批人|审阅者|评审人|(哪个|哪一?些) ?sig|owners"
)
TARGETS = re.compile(r"\bmake(file)? (targets?|rules?)\b|\btargets? .{0,20}\bmake(file)?\b|make.{0,8}(目标|target)|makefile.{0,12}(目标|target|有哪些|有什么)")
TARGET = re.compile(r"`?\bmake ([a-z][\w-]+)`?")
FOR = re.compile(r"what('s| is| are| does| do)?\b.{0,24}@|(purpose|role|point) of (the )?@|(explain|describe|tell me about) (the )?@|@.{0,12}(是什么|做什么|干什么|干嘛|用途|作用|是啥|讲什么|负责什么|什么用)")
LOCATED = re.compile(r"where('s| is| are| does| do| can)?( i| one)?( find| see)?( the)? @|(director|folder|path).{0,30}@|@.{0,10}(在哪|哪里|哪儿|位于|放在|哪个)|(哪里|哪儿|在哪).{0,8}@")
"""Asks where the thing named is, not where something else is that has to do with it."""
DOES = re.compile(r"what (does|do|is|happens|will).{0,24}\bmake [a-z]|\bmake [a-z][\w-]*`?.{0,6}(是什么|是做什么|做什么|干什么|干嘛|用途|作用)")
ASKS_MORE = re.compile(
    r"how many (lines|people|commits|bytes|tests)|lines of code|\b((which|what) versions?|license|date|year|written|wrote|author)\b|\b(commits?|contributors?|fast(er)?|slow(er)?|coverage|popular|per (month|day|year)|decided)\b"
    r"|\b(next|future|upcoming) (release|version)|\bplan(s|ned|ning)? to\b|\b(good|bad|code) quality\b(?! of service)|(代码|文档)质量"
    r"|多少行|行代码|提交次数|谁.{0,8}提交|覆盖率|拍板|多快|最耗|(哪个|什么|几)版本|版本号|打算|计划(?!任务|时间)|将来|下个版本|许可|能不能|哪一?年|哪一?天|最早|大小"
)
"""What a listing cannot say."""
ASKS_VALUE = re.compile(
    r"\b(timeout|port|default|argument|parameter|flag|option|variable)\b|参数|默认|超时|端口|环境变量|指定|配置文件|日志文件|config(uration)? files?|on disk"
)
"""Asks for what a listing cannot say, unless it asks where the code of that is."""
