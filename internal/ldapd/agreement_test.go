package ldapd

import "fmt"

const lab = "dc=lab,dc=example"

// fixture is loaded into both servers.
const fixture = `dn: dc=lab,dc=example
objectClass: dcObject
objectClass: organization
dc: lab
o: Lab

dn: ou=people,dc=lab,dc=example
objectClass: organizationalUnit
ou: people

dn: ou=sales,ou=people,dc=lab,dc=example
objectClass: organizationalUnit
ou: sales

dn: ou=groups,dc=lab,dc=example
objectClass: organizationalUnit
ou: groups

dn: ou=empty,dc=lab,dc=example
objectClass: organizationalUnit
ou: empty

dn: uid=writer1,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
objectClass: posixAccount
uid: writer1
cn: Content Writer
cn: First  Writer
cn;lang-de: Schreiber
sn: Writer
givenName: Content
mail: writer1@lab.example
mail: W.One@Lab.Example
employeeType: staff
employeeNumber: 0007
telephoneNumber: +49 30 555-1234
uidNumber: 1001
gidNumber: 100
homeDirectory: /home/Writer1
userPassword: secret1
description: Star * paren ( and \ back
title: Editor, Senior

dn: uid=writer2,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
objectClass: posixAccount
uid: writer2
cn: Second Writer
sn: Writer
employeeType: contractor
uidNumber: 9
gidNumber: 100
homeDirectory: /home/writer2
manager: UID=Writer1, OU=People,DC=lab,DC=example
userPassword: secret2

dn:: dWlkPcOpbGlzZSxvdT1wZW9wbGUsZGM9bGFiLGRjPWV4YW1wbGU=
objectClass: inetOrgPerson
uid:: w6lsaXNl
cn:: w4lsaXNlIEFkbWluaXN0cmF0b3I=
sn: Administrator
employeeType: staff

dn: cn=Writer\, Third,ou=sales,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
cn: Writer, Third
sn: Writer
uid: writer3
employeeType: staff

dn: cn=Quote \"Q\" \+ plus,ou=sales,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
cn: Quote "Q" + plus
sn: Quote
employeeType: former

dn: cn=\20 leading,ou=sales,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
cn::ICAgbGVhZGluZw==
sn: Leading

dn: uid=a+sn=b,ou=sales,ou=people,dc=lab,dc=example
objectClass: inetOrgPerson
uid: a
sn: b
cn: Two Names

dn: cn=writers,ou=groups,dc=lab,dc=example
objectClass: groupOfNames
cn: writers
member: uid=writer1,ou=people,dc=lab,dc=example
member: UID=writer2,OU=people,DC=lab,DC=example
member: cn=Writer\2C Third,ou=sales,ou=people,dc=lab,dc=example
member: uid=dangling,ou=people,dc=lab,dc=example

dn: cn=uniques,ou=groups,dc=lab,dc=example
objectClass: groupOfUniqueNames
cn: uniques
uniqueMember: uid=writer1,ou=people,dc=lab,dc=example
uniqueMember: uid=writer2,ou=people,dc=lab,dc=example

dn: cn=posix,ou=groups,dc=lab,dc=example
objectClass: groupOfNames
objectClass: posixGroup
cn: posix
gidNumber: 100
member: cn=writers,ou=groups,dc=lab,dc=example
memberUid: writer1
memberUid: Writer2

dn: ou=elsewhere,dc=lab,dc=example
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,dc=lab,dc=example

`

// op is one operation of the table.
type op struct {
	name  string
	anon  bool
	stdin string
	tool  string // default ldapsearch
	args  []string
	want  int // result code
	count int // entries that a search must give; -1: just the same on both
}

func sub(name, filter string, count int, attrs ...string) op {
	return op{name: name, args: append([]string{"-b", lab, filter}, attrs...), count: count}
}

func modify(name string, want int, ldif string) op {
	return op{name: name, tool: "ldapmodify", stdin: ldif, want: want}
}

func under(rdn string) string { return rdn + ",ou=people," + lab }

var agreement = []op{
	sub("everything", "(objectClass=*)", 15),
	sub("equality ignores case", "(uid=WRITER1)", 1),
	sub("equality ignores inner spaces", "(cn=first writer)", 1),
	sub("equality ignores outer spaces", "(cn=  Content Writer  )", 1),
	sub("alias of a type", "(userid=writer1)", 1, "uid"),
	sub("OID of a type", "(0.9.2342.19200300.100.1.1=writer1)", 1, "uid"),
	sub("a value that nobody has", "(uid=nobody)", 0),
	sub("accents", "(uid=élise)", 1),
	sub("accents in the other case", "(uid=ÉLISE)", 1),
	sub("without the accent", "(uid=elise)", 0),
	sub("composed otherwise", "(cn=E\u0301lise Administrator)", 1),
	sub("and", "(&(objectClass=person)(employeeType=staff))", 3, "uid"),
	sub("or", "(|(uid=writer1)(uid=writer2)(uid=writer9))", 2, "uid"),
	sub("not", "(&(objectClass=inetOrgPerson)(!(employeeType=staff)))", 4, "uid"),
	sub("not not", "(!(!(uid=writer1)))", 1, "uid"),
	sub("empty and", "(&)", 15, "1.1"),
	sub("empty or", "(|)", 0, "1.1"),
	sub("undefined attribute", "(nosuchattr=x)", 0),
	sub("not undefined is undefined", "(!(nosuchattr=x))", 0),
	sub("or with undefined", "(|(nosuchattr=x)(uid=writer1))", 1, "uid"),
	sub("and with undefined", "(&(nosuchattr=x)(uid=writer1))", 0),
	sub("not of or with undefined", "(!(|(nosuchattr=x)(uid=writer1)))", 0),
	sub("not of and with undefined", "(&(objectClass=inetOrgPerson)(!(&(nosuchattr=x)(uid=writer1))))", 6, "uid"),
	sub("undefined class", "(!(objectClass=nosuchclass))", 0),
	sub("superclass", "(objectClass=organizationalPerson)", 7, "1.1"),
	sub("top", "(objectClass=top)", 15, "1.1"),
	sub("present", "(mail=*)", 1, "mail"),
	sub("not present", "(&(objectClass=person)(!(mail=*)))", 6, "1.1"),
	sub("present undefined", "(nosuchattr=*)", 0),
	sub("initial", "(cn=cont*)", 1, "cn"),
	sub("any", "(cn=*WRITER*)", 4, "cn"),
	sub("final", "(mail=*@lab.example)", 1, "mail"),
	sub("all three", "(mail=w*one*example)", 1, "mail"),
	sub("parts do not overlap", "(uid=writer1*1)", 0),
	sub("parts in order", "(cn=*writer*content*)", 0),
	sub("blank in a part", "(cn=*t w*)", 1, "cn"),
	sub("substrings of a DN", "(member=uid=w*)", 0),
	sub("substrings of a path", "(homeDirectory=/home/*)", 0),
	sub("substrings of a phone", "(telephoneNumber=*555 12*)", 1, "uid"),
	sub("phone", "(telephoneNumber=+4930-5551234)", 1, "uid"),
	sub("case exact", "(homeDirectory=/home/writer1)", 0),
	sub("case exact hit", "(homeDirectory=/home/Writer1)", 1, "uid"),
	sub("memberUid is exact", "(memberUid=writer2)", 0),
	sub("memberUid hit", "(memberUid=Writer2)", 1, "cn"),
	sub("memberUid substrings", "(memberUid=Wri*)", 1, "cn"),
	sub("star, parens, backslash", `(description=*\2a*\28*\5c*)`, 1, "description"),
	sub("hex escapes of UTF-8", `(uid=\c3\a9lise)`, 1, "uid"),
	sub("option", "(cn;lang-de=schreiber)", 1, "cn"),
	sub("a type finds its options", "(cn=schreiber)", 1, "cn"),
	sub("another option", "(cn;lang-fr=schreiber)", 0, "cn"),
	sub("supertype", "(name=content writer)", 1, "uid"),
	sub("integer", "(uidNumber=9)", 1, "uid"),
	sub("integer with a leading nought", "(uidNumber=09)", 0, "uid"),
	sub("integer >=", "(uidNumber>=10)", 1, "uid"),
	sub("integer <=", "(uidNumber<=1000)", 1, "uid"),
	sub("no order of strings", "(cn>=a)", 0),
	sub("not of no order", "(!(cn>=a))", 0),
	sub("time", "(createTimestamp>=20200101000000Z)", 15, "1.1"),
	sub("time in another zone", "(createTimestamp<=20200101000000+0100)", 0, "1.1"),
	sub("no time", "(createTimestamp>=yesterday)", 0),
	sub("member", "(member=uid=writer1,ou=people,"+lab+")", 1, "cn"),
	sub("member in another spelling", "(member=UID = writer1 , OU=PEOPLE,dc=lab,dc=example)", 1, "cn"),
	sub("member with a comma", `(member=cn=Writer\5c, Third,ou=sales,ou=people,`+lab+")", 1, "cn"),
	sub("member is no name", "(member=writer1)", 0),
	sub("not member is no name", "(!(member=writer1))", 0),
	sub("uniqueMember", "(uniqueMember=uid=WRITER2,ou=people,"+lab+")", 1, "cn"),
	sub("manager", "(manager=uid=writer1,ou=people,"+lab+")", 1, "uid"),
	sub("extensible is equality", "(cn:=content writer)", 1, "uid"),
	sub("extensible with a rule", "(cn:caseExactMatch:=content writer)", 0, "uid"),
	sub("extensible with a rule hit", "(cn:2.5.13.5:=Content Writer)", 1, "uid"),
	sub("extensible of the name", "(ou:dn:=sales)", 5, "1.1"),
	sub("extensible with an unknown rule", "(cn:1.2.3.4.5:=x)", 0),
	sub("approximate", "(cn~=content writer)", 1, "uid"),
	sub("octets", "(userPassword=secret1)", 1, "uid"),
	sub("entryDN", "(entryDN=OU=people,"+lab+")", 1, "ou"),

	{name: "base", args: []string{"-b", "ou=people," + lab, "-s", "base", "(objectClass=*)"}, count: 1},
	{name: "base does not match", args: []string{"-b", "ou=people," + lab, "-s", "base", "(objectClass=person)"}},
	{name: "one level", args: []string{"-b", "ou=people," + lab, "-s", "one", "(objectClass=*)", "1.1"}, count: 4},
	{name: "one level with an index", args: []string{"-b", "ou=people," + lab, "-s", "one", "(|(uid=writer1)(uid=writer3))", "1.1"}, count: 1},
	{name: "subtree below", args: []string{"-b", "ou=people," + lab, "(objectClass=*)", "1.1"}, count: 9},
	{name: "nothing below", args: []string{"-b", "ou=empty," + lab, "-s", "one", "(objectClass=*)", "1.1"}},
	{name: "base in another spelling", args: []string{"-b", "OU = People , DC=LAB,dc=example", "-s", "base", "(objectClass=*)", "ou"}, count: 1},
	{name: "base with a comma", args: []string{"-b", `cn=Writer\, Third,ou=sales,ou=people,` + lab, "-s", "base", "(objectClass=*)"}, count: 1},
	{name: "base with quotes", args: []string{"-b", `cn=Quote \22Q\22 \2B plus,ou=sales,ou=people,` + lab, "-s", "base", "(objectClass=*)"}, count: 1},
	{name: "base with a leading blank", args: []string{"-b", `cn=\ \ leading,ou=sales,ou=people,` + lab, "-s", "base", "(objectClass=*)", "sn"}, count: 1},
	{name: "base with two parts, turned round", args: []string{"-b", "sn=b+uid=a,ou=sales,ou=people," + lab, "-s", "base", "(objectClass=*)"}, count: 1},
	{name: "base with an accent", args: []string{"-b", `uid=\C3\A9lise,ou=people,` + lab, "-s", "base", "(objectClass=*)"}, count: 1},
	{name: "no such base", args: []string{"-b", "ou=nowhere," + lab, "(objectClass=*)"}, want: NoSuchObject},
	{name: "base outside", args: []string{"-b", "dc=other,dc=example", "(objectClass=*)"}, want: NoSuchObject},
	{name: "base is no name", args: []string{"-b", "nonsense", "(objectClass=*)"}, want: InvalidDNSyntax},
	{name: "referral as base", args: []string{"-b", "ou=elsewhere," + lab, "(objectClass=*)"}, want: Referral},
	{name: "base below a referral", args: []string{"-b", "cn=x,ou=elsewhere," + lab, "(objectClass=*)"}, want: Referral},
	{name: "referral managed", args: []string{"-M", "-b", lab, "(objectClass=referral)", "ref"}, count: 1},
	{name: "size limit", args: []string{"-z", "3", "-b", lab, "(objectClass=*)", "1.1"}, want: SizeLimitExceeded, count: -1},
	{name: "size limit that just fits", args: []string{"-z", "3", "-b", lab, "(employeeType=staff)", "1.1"}, count: 3},
	{name: "types only", args: []string{"-A", "-b", lab, "(uid=writer1)"}, count: 1},
	sub("some attributes", "(uid=writer1)", 1, "CN", "mail", "nosuchattr"),
	sub("supertype of attributes", "(uid=writer1)", 1, "name"),
	sub("one option", "(uid=writer1)", 1, "cn;lang-de"),
	sub("star and a name", "(uid=writer1)", 1, "*", "uid"),

	modify("add an entry", 0, "dn: "+under("uid=new")+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: New\nsn: New\n"),
	modify("add it again", EntryAlreadyExists, "dn: "+under("UID=NEW")+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: New\nsn: New\n"),
	modify("add without the naming value", 0, "dn: "+under("uid=other")+"\nchangetype: add\nobjectClass: inetOrgPerson\ncn: Other\nsn: Other\n"),
	sub("the naming value is there", "(uid=other)", 1),
	modify("add without a parent", NoSuchObject, "dn: uid=x,ou=nowhere,"+lab+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: x\ncn: x\nsn: x\n"),
	modify("add outside", UnwillingToPerform, "dn: dc=other,dc=example\nchangetype: add\nobjectClass: domain\ndc: other\n"),
	modify("add without a class", ObjectClassViolation, "dn: "+under("uid=x")+"\nchangetype: add\nuid: x\ncn: x\nsn: x\n"),
	modify("add a value twice", AttributeOrValueExists, "dn: "+under("uid=x")+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: x\ncn: x\ncn: X\nsn: x\n"),
	modify("add under a referral", Referral, "dn: cn=x,ou=elsewhere,"+lab+"\nchangetype: add\nobjectClass: device\ncn: x\n"),
	modify("add with server's attributes", ConstraintViolation, "dn: "+under("uid=x")+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: x\ncn: x\nsn: x\nentryUUID: 11111111-1111-4111-8111-111111111111\n"),
	modify("add an empty value", InvalidAttributeSyntax, "dn: "+under("uid=x")+"\nchangetype: add\nobjectClass: inetOrgPerson\nuid: x\ncn: x\nsn: x\ntitle:\n"),
	modify("member is no name", InvalidAttributeSyntax, "dn: cn=writers,ou=groups,"+lab+"\nchangetype: modify\nadd: member\nmember: nonsense\n"),

	modify("modify", 0, "dn: "+under("uid=new")+"\nchangetype: modify\nadd: mail\nmail: a@x\nmail: b@x\n-\nreplace: sn\nsn: Newer\n-\nadd: title\ntitle: T\n-\ndelete: title\n"),
	sub("it was modified", "(uid=new)", 1),
	modify("add a value that is there", AttributeOrValueExists, "dn: "+under("uid=new")+"\nchangetype: modify\nadd: mail\nmail: A@X\n"),
	modify("delete a value that is not", NoSuchAttribute, "dn: "+under("uid=new")+"\nchangetype: modify\ndelete: mail\nmail: c@x\n"),
	modify("delete an attribute that is not", NoSuchAttribute, "dn: "+under("uid=new")+"\nchangetype: modify\ndelete: title\n"),
	modify("delete one value in another case", 0, "dn: "+under("uid=new")+"\nchangetype: modify\ndelete: mail\nmail: B@X\n"),
	modify("all or nothing", NoSuchAttribute, "dn: "+under("uid=new")+"\nchangetype: modify\nreplace: sn\nsn: Newest\n-\ndelete: title\n"),
	sub("nothing happened", "(uid=new)", 1),
	modify("replace with nothing", 0, "dn: "+under("uid=new")+"\nchangetype: modify\nreplace: mail\n-\nreplace: title\n"),
	modify("delete the naming value", NamingViolation, "dn: "+under("uid=new")+"\nchangetype: modify\nreplace: uid\nuid: newer\n"),
	modify("modify what is not", NoSuchObject, "dn: "+under("uid=nobody")+"\nchangetype: modify\nreplace: sn\nsn: x\n"),
	modify("modify what the server keeps", ConstraintViolation, "dn: "+under("uid=new")+"\nchangetype: modify\nreplace: modifyTimestamp\nmodifyTimestamp: 20200101000000Z\n"),
	modify("the last member stays", ObjectClassViolation, "dn: cn=posix,ou=groups,"+lab+"\nchangetype: modify\ndelete: member\n"),
	modify("a member in another spelling goes", 0, "dn: cn=writers,ou=groups,"+lab+"\nchangetype: modify\ndelete: member\nmember: uid=Writer1,OU=People,"+lab+"\n"),
	modify("a member comes twice", AttributeOrValueExists, "dn: cn=writers,ou=groups,"+lab+"\nchangetype: modify\nadd: member\nmember: UID=WRITER2,ou=people,"+lab+"\n"),
	sub("members now", "(cn=writers)", 1),
	{name: "write as nobody", anon: true, tool: "ldapmodify", stdin: "dn: " + under("uid=new") + "\nchangetype: modify\nreplace: sn\nsn: x\n", want: StrongerAuthRequired},

	modify("rename", 0, "dn: "+under("uid=new")+"\nchangetype: modrdn\nnewrdn: uid=newer\ndeleteoldrdn: 1\n"),
	sub("renamed", "(uid=newer)", 1),
	modify("rename and keep", 0, "dn: "+under("uid=newer")+"\nchangetype: modrdn\nnewrdn: uid=newest\ndeleteoldrdn: 0\n"),
	sub("both names", "(uid=newest)", 1),
	modify("rename in case only", 0, "dn: "+under("uid=newest")+"\nchangetype: modrdn\nnewrdn: uid=Newest\ndeleteoldrdn: 1\n"),
	modify("rename to one that is there", EntryAlreadyExists, "dn: "+under("uid=newest")+"\nchangetype: modrdn\nnewrdn: uid=writer1\ndeleteoldrdn: 1\n"),
	modify("rename what is not", NoSuchObject, "dn: "+under("uid=nobody")+"\nchangetype: modrdn\nnewrdn: uid=x\ndeleteoldrdn: 1\n"),
	modify("rename to no name", InvalidDNSyntax, "dn: "+under("uid=newest")+"\nchangetype: modrdn\nnewrdn: nonsense\ndeleteoldrdn: 1\n"),
	modify("move", 0, "dn: "+under("uid=newest")+"\nchangetype: moddn\nnewrdn: uid=newest\ndeleteoldrdn: 1\nnewsuperior: ou=sales,ou=people,"+lab+"\n"),
	modify("move to nowhere", NoSuchObject, "dn: uid=newest,ou=sales,ou=people,"+lab+"\nchangetype: moddn\nnewrdn: uid=newest\ndeleteoldrdn: 1\nnewsuperior: ou=nowhere,"+lab+"\n"),
	modify("move a tree", 0, "dn: ou=sales,ou=people,"+lab+"\nchangetype: moddn\nnewrdn: ou=Vertrieb\ndeleteoldrdn: 1\nnewsuperior: ou=empty,"+lab+"\n"),
	{name: "the tree has moved", args: []string{"-b", "ou=empty," + lab, "(objectClass=*)"}, count: 7},
	modify("rename to a name with a comma", 0, "dn: uid=newest,ou=Vertrieb,ou=empty,"+lab+"\nchangetype: modrdn\nnewrdn: cn=New\\, \\\"er\\\"\ndeleteoldrdn: 0\n"),
	sub("a comma in the name", "(uid=newest)", 1),

	modify("delete a tree", NotAllowedOnNonLeaf, "dn: ou=Vertrieb,ou=empty,"+lab+"\nchangetype: delete\n"),
	modify("delete", 0, "dn: "+under("uid=other")+"\nchangetype: delete\n"),
	modify("delete again", NoSuchObject, "dn: "+under("uid=other")+"\nchangetype: delete\n"),

	{name: "compare true", tool: "ldapcompare", args: []string{under("uid=writer1"), "employeeType:STAFF"}, want: CompareTrue},
	{name: "compare false", tool: "ldapcompare", args: []string{under("uid=writer1"), "employeeType:former"}, want: CompareFalse},
	{name: "compare absent", tool: "ldapcompare", args: []string{under("uid=writer1"), "manager:" + lab}, want: NoSuchAttribute},
	{name: "compare undefined", tool: "ldapcompare", args: []string{under("uid=writer1"), "nosuchattr:x"}, want: UndefinedAttributeType},
	{name: "compare nothing", tool: "ldapcompare", args: []string{under("uid=nobody"), "uid:x"}, want: NoSuchObject},

	{name: "who am I", tool: "ldapwhoami"},
	{name: "bind as an entry", anon: true, tool: "ldapwhoami", args: []string{"-D", under("uid=writer1"), "-w", "secret1"}},
	{name: "wrong password", anon: true, tool: "ldapwhoami", args: []string{"-D", under("uid=writer1"), "-w", "wrong"}, want: InvalidCredentials},
	{name: "nobody of that name", anon: true, tool: "ldapwhoami", args: []string{"-D", under("uid=nobody"), "-w", "x"}, want: InvalidCredentials},
	{name: "no password", anon: true, tool: "ldapwhoami", args: []string{"-D", under("uid=writer1"), "-w", ""}, want: UnwillingToPerform},
	{name: "name is no name", anon: true, tool: "ldapwhoami", args: []string{"-D", "nonsense", "-w", "x"}, want: InvalidDNSyntax},
	{name: "unknown critical control", args: []string{"-e", "!1.2.3.4", "-b", lab, "(uid=writer1)"}, want: UnavailableCriticalExtension},
	{name: "unknown control", args: []string{"-e", "1.2.3.4", "-b", lab, "(uid=writer1)", "1.1"}, count: 1},
}

func init() {
	for _, size := range []int{1, 2, 7, 14, 15, 16, 500} {
		agreement = append(agreement, op{
			name: fmt.Sprintf("pages of %d", size), count: 16,
			args: []string{"-E", fmt.Sprintf("!pr=%d/noprompt", size), "-b", lab, "(objectClass=*)"},
		})
	}
}
